"""Runs the programs of differential.test.ts on asyncio with virtual time: one program a line in, its trace a line out."""

import asyncio
import contextvars
import heapq
import json
import selectors
import sys


class FifoTimer(asyncio.TimerHandle):
    """asyncio leaves open in which order timers with the same deadline fire; here it is the order they were set in."""

    order = 0

    def __lt__(self, other):
        return (self._when, self.order) < (other._when, other.order)


class VirtualSelector(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time on."""

    loop = None

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("nothing is left that could wake the program")
        if timeout > 0:
            self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0
        self.timers = 0
        selector = VirtualSelector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-9

    def time(self):
        return self.now

    def call_at(self, when, callback, *args, context=None):
        timer = FifoTimer(when, callback, args, self, context)
        self.timers += 1
        timer.order = self.timers
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class OrderedSet(dict):
    add = lambda self, item: self.setdefault(item)
    discard = lambda self, item: self.pop(item, None)


class TaskGroup(asyncio.TaskGroup):
    """Cancels its tasks in the order they were created in, where a set's order is any."""

    def __init__(self):
        super().__init__()
        self._tasks = OrderedSet()


class Boom(Exception):
    pass


VAR = contextvars.ContextVar("var", default=-1)
STORE = contextvars.ContextVar("store", default=-1)


def kind(error):
    if isinstance(error, BaseExceptionGroup):
        return "group(" + ",".join(kind(each) for each in error.exceptions) + ")"
    for type_, name in KINDS:
        if isinstance(error, type_):
            return name
    return f"{type(error).__name__}: {error}"


KINDS = [
    (asyncio.CancelledError, "cancelled"),
    (TimeoutError, "timeout"),
    (Boom, "boom"),
    (asyncio.QueueEmpty, "empty"),
    (asyncio.QueueFull, "full"),
    (asyncio.QueueShutDown, "shutdown"),
    (asyncio.BrokenBarrierError, "broken"),
    (RuntimeError, "state"),
    (ValueError, "value"),
]


class Program:
    def __init__(self, source):
        self.source = source
        self.trace = []
        self.tasks = []
        self.labels = 0
        self.locks = [asyncio.Lock() for _ in range(2)]
        self.semaphores = [asyncio.Semaphore(1), asyncio.Semaphore(2)]
        self.events = [asyncio.Event() for _ in range(2)]
        self.conditions = [asyncio.Condition() for _ in range(2)]
        self.queues = [asyncio.Queue(), asyncio.Queue(1)]
        self.barriers = [asyncio.Barrier(2), asyncio.Barrier(3)]
        self.naps = []

    async def run(self):
        root = asyncio.create_task(self.body(self.source, []))
        self.tasks.append(root)
        await asyncio.wait([root], timeout=1000)
        for _ in range(20):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                break
            for task in left:
                self.log("driver", f"cancel {self.tasks.index(task)}")
                task.cancel()
            await asyncio.sleep(50)
        for index, task in enumerate(self.tasks):
            self.log("driver", f"{index} ended {outcome(task)} {task.cancelling()}")
        return list(self.trace) + sorted(self.naps)

    def log(self, who, what):
        self.trace.append(f"{asyncio.get_running_loop().time()} {who} {what}")

    def log_vars(self, who):
        self.log(who, f"sees {VAR.get()} {STORE.get()}")

    def callback(self, acts):
        self.labels += 1
        who = f"c{self.labels}"
        # Given by name, since what a callback sets is seen by what it does later, and Python's naps are callbacks again.
        context = contextvars.copy_context()

        def call(*_):
            self.log(who, f"called {asyncio.current_task() is None}")
            for act in acts:
                getattr(self, "act_" + act["act"])(act, who, context)

        return call, context

    def act_readVars(self, act, who, context):
        self.log_vars(who)

    def act_raise(self, act, who, context):
        raise Boom()

    def act_setVar(self, act, who, context):
        VAR.set(act["value"])

    def act_spawn(self, act, who, context):
        self.tasks.append(asyncio.create_task(self.body(act["body"], [])))

    def act_nap(self, act, who, context):
        loop = asyncio.get_running_loop()

        def wake():
            self.naps.append(f"{loop.time()} {who} napped {VAR.get()} {STORE.get()}")

        loop.call_later(act["ms"], wake, context=context)

    async def body(self, block, groups):
        me = asyncio.current_task()
        if me not in self.tasks:
            self.tasks.append(me)
        who = f"t{self.tasks.index(me)}"
        self.log(who, "starts")
        try:
            await self.block(block, who, groups, None)
        except BaseException as error:
            self.log(who, f"throws {kind(error)}")
            raise
        self.log(who, "returns")
        return who

    async def block(self, block, who, groups, scope):
        for index, statement in enumerate(block):
            told = await getattr(self, "do_" + statement["op"])(statement, who, groups, scope)
            self.log(who, statement["op"] if told is None else f"{statement['op']} {told}")

    def target(self, statement):
        return self.tasks[statement["task"] % len(self.tasks)]

    def younger(self, statement):
        """Tasks await younger ones only, so that nobody waits in a circle."""
        mine = self.tasks.index(asyncio.current_task())
        younger = self.tasks[mine + 1 :]
        return younger[statement["task"] % len(younger)] if younger else None

    async def do_sleep(self, statement, who, groups, scope):
        await asyncio.sleep(statement["ms"])

    async def do_raise(self, statement, who, groups, scope):
        raise Boom()

    async def do_try(self, statement, who, groups, scope):
        try:
            await self.block(statement["body"], who, groups, scope)
        except BaseException as error:
            if statement["catches"] != "all" and kind(error) != statement["catches"]:
                raise
            self.log(who, f"catches {kind(error)}")
            await self.block(statement["handler"], who, groups, scope)
            if statement["rethrows"]:
                raise
        finally:
            self.log(who, "finally")
            await self.block(statement["last"], who, groups, scope)

    async def do_spawn(self, statement, who, groups, scope):
        self.tasks.append(asyncio.create_task(self.body(statement["body"], groups)))

    async def do_join(self, statement, who, groups, scope):
        task = self.younger(statement)
        return None if task is None else await task

    async def do_cancel(self, statement, who, groups, scope):
        return str(self.target(statement).cancel())

    async def do_uncancel(self, statement, who, groups, scope):
        return str(asyncio.current_task().uncancel())

    async def do_cancelling(self, statement, who, groups, scope):
        return str(self.target(statement).cancelling())

    async def do_gather(self, statement, who, groups, scope):
        children = [self.body(block, groups) for block in statement["bodies"]]
        task = self.younger(statement) if statement["joins"] else None
        if task is not None:
            children.append(task)
        results = await asyncio.gather(*children, return_exceptions=statement["returnExceptions"])
        return ",".join(kind(each) if isinstance(each, BaseException) else each for each in results)

    async def do_waitFor(self, statement, who, groups, scope):
        await asyncio.wait_for(self.block(statement["body"], who, groups, scope), statement["ms"])

    async def do_waitForTask(self, statement, who, groups, scope):
        task = self.younger(statement)
        return None if task is None else await asyncio.wait_for(task, statement["ms"])

    async def do_timeout(self, statement, who, groups, scope):
        async with asyncio.timeout(statement["ms"]) as inner:
            await self.block(statement["body"], who, groups, inner)
        return str(inner.expired())

    async def do_reschedule(self, statement, who, groups, scope):
        if scope is not None:
            scope.reschedule(asyncio.get_running_loop().time() + statement["ms"])

    async def do_group(self, statement, who, groups, scope):
        async with TaskGroup() as group:
            inside = [*groups, group]
            for child in statement["children"]:
                self.tasks.append(group.create_task(self.body(child, inside)))
            await self.block(statement["body"], who, inside, scope)

    async def do_groupSpawn(self, statement, who, groups, scope):
        if groups:
            coroutine = self.body(statement["body"], groups)
            try:
                self.tasks.append(groups[-1].create_task(coroutine))
            finally:
                if self.tasks[-1].get_coro() is not coroutine:
                    coroutine.close()

    async def do_shield(self, statement, who, groups, scope):
        task = self.younger(statement)
        return None if task is None else await asyncio.shield(task)

    async def do_shieldBody(self, statement, who, groups, scope):
        return await asyncio.shield(self.body(statement["body"], groups))

    async def do_wait(self, statement, who, groups, scope):
        mine = self.tasks.index(asyncio.current_task())
        younger = self.tasks[mine + 1 :]
        if not younger:
            return None
        done, running = await asyncio.wait(younger, timeout=statement["ms"], return_when=WHEN[statement["when"]])
        return f"{[self.tasks.index(task) for task in younger if task in done]}".replace(" ", "")

    async def do_asCompleted(self, statement, who, groups, scope):
        tasks = [asyncio.create_task(self.body(block, groups)) for block in statement["bodies"]]
        self.tasks.extend(tasks)
        seen = []
        async for task in asyncio.as_completed(tasks, timeout=statement["ms"]):
            self.log(who, f"completed {tasks.index(task)} {outcome(task)}")
            seen.append(str(tasks.index(task)))
        return ",".join(seen)

    async def do_lock(self, statement, who, groups, scope):
        async with self.locks[statement["which"]]:
            self.log(who, "locked")
            await self.block(statement["body"], who, groups, scope)

    async def do_semaphore(self, statement, who, groups, scope):
        async with self.semaphores[statement["which"]]:
            self.log(who, "acquired")
            await self.block(statement["body"], who, groups, scope)

    async def do_acquire(self, statement, who, groups, scope):
        await self.semaphores[statement["which"]].acquire()

    async def do_release(self, statement, who, groups, scope):
        self.semaphores[statement["which"]].release()

    async def do_set(self, statement, who, groups, scope):
        self.events[statement["which"]].set()

    async def do_clear(self, statement, who, groups, scope):
        self.events[statement["which"]].clear()

    async def do_waitEvent(self, statement, who, groups, scope):
        await self.events[statement["which"]].wait()

    async def do_waitCondition(self, statement, who, groups, scope):
        async with self.conditions[statement["which"]] as _:
            await self.conditions[statement["which"]].wait()

    async def do_notify(self, statement, who, groups, scope):
        async with self.conditions[statement["which"]] as _:
            self.conditions[statement["which"]].notify(statement["count"])
            await self.block(statement["body"], who, groups, scope)

    async def do_barrier(self, statement, who, groups, scope):
        return str(await self.barriers[statement["which"]].wait())

    async def do_put(self, statement, who, groups, scope):
        await self.queues[statement["which"]].put(statement["value"])

    async def do_get(self, statement, who, groups, scope):
        return str(await self.queues[statement["which"]].get())

    async def do_putNowait(self, statement, who, groups, scope):
        self.queues[statement["which"]].put_nowait(statement["value"])

    async def do_getNowait(self, statement, who, groups, scope):
        return str(self.queues[statement["which"]].get_nowait())

    async def do_taskDone(self, statement, who, groups, scope):
        self.queues[statement["which"]].task_done()

    async def do_joinQueue(self, statement, who, groups, scope):
        await self.queues[statement["which"]].join()

    async def do_gatherSame(self, statement, who, groups, scope):
        def one():
            return self.body(statement["body"], groups)

        if statement["concurrent"]:
            places = asyncio.Semaphore(2)

            async def one():
                async with places:
                    return await self.body(statement["body"], groups)

        return ",".join(await asyncio.gather(*[one() for _ in range(statement["times"])]))

    async def do_asCompletedSame(self, statement, who, groups, scope):
        seen = 0

        async def one():
            nonlocal seen
            await asyncio.sleep(statement["ms"])
            seen += 1
            return seen

        tasks = [asyncio.create_task(one()) for _ in range(statement["times"])]
        total = 0
        try:
            async for task in asyncio.as_completed(tasks):
                total += task.result()
        except BaseException:
            # What asCompleted started, it cancels and awaits.
            for task in tasks:
                task.cancel()
            left = [task for task in tasks if not task.done()]
            if left:
                await asyncio.wait(left)
            raise
        return str(total)

    async def do_nestedGather(self, statement, who, groups, scope):
        inner = asyncio.gather(*[self.body(block, groups) for block in statement["bodies"]])
        outer = asyncio.gather(inner, asyncio.sleep(1))
        await asyncio.sleep(0)
        if statement["cancelled"]:
            self.log(who, f"cancel {outer.cancel()}")
        results = await outer
        return ",".join(results[0])

    async def do_setVar(self, statement, who, groups, scope):
        token = VAR.set(statement["value"])
        try:
            await self.block(statement["body"], who, groups, scope)
        finally:
            VAR.reset(token)

    async def do_setStore(self, statement, who, groups, scope):
        token = STORE.set(statement["value"])
        try:
            await self.block(statement["body"], who, groups, scope)
        finally:
            STORE.reset(token)

    async def do_readVars(self, statement, who, groups, scope):
        self.log_vars(who)

    async def do_callSoon(self, statement, who, groups, scope):
        call, context = self.callback(statement["acts"])
        asyncio.get_running_loop().call_soon(call, context=context)

    async def do_callLater(self, statement, who, groups, scope):
        call, context = self.callback(statement["acts"])
        asyncio.get_running_loop().call_later(statement["ms"], call, context=context)

    async def do_onDone(self, statement, who, groups, scope):
        call, context = self.callback(statement["acts"])
        self.target(statement).add_done_callback(call, context=context)

    async def do_usingGroup(self, statement, who, groups, scope):
        async with TaskGroup() as group:
            inside = [*groups, group]
            for child in statement["children"]:
                self.tasks.append(group.create_task(self.body(child, inside)))
            for delay in statement["sleeps"]:
                await asyncio.sleep(delay)

    async def do_looseGroup(self, statement, who, groups, scope):
        coroutine = self.body([], groups)
        try:
            asyncio.TaskGroup().create_task(coroutine)
        finally:
            coroutine.close()

    async def do_exceptStar(self, statement, who, groups, scope):
        try:
            await self.block(statement["body"], who, groups, scope)
        except BaseException as error:
            except_star(error, [self.clause(clause, who) for clause in statement["clauses"]])

    def clause(self, clause, who):
        def handler(group):
            self.log(who, f"handles {kind(group)}")
            if clause["raises"]:
                raise Boom()

        return TYPES[clause["catches"]], handler

    async def do_sleepNone(self, statement, who, groups, scope):
        await asyncio.sleep(float("nan"))

    async def do_shutdown(self, statement, who, groups, scope):
        self.queues[statement["which"]].shutdown(immediate=statement["immediate"])


TYPES = {"timeout": TimeoutError, "boom": Boom, "state": RuntimeError, "value": ValueError}


def except_star(error, clauses):
    """Handles an error by one to three clauses of Python's own `except*`."""
    (a, on_a), (b, on_b), (c, on_c) = (clauses + [(Nothing, None)] * 3)[:3]
    try:
        raise error
    except* a as group:
        on_a(group)
    except* b as group:
        on_b(group)
    except* c as group:
        on_c(group)


class Nothing(Exception):
    pass


WHEN = {
    "firstCompleted": asyncio.FIRST_COMPLETED,
    "firstException": asyncio.FIRST_EXCEPTION,
    "allCompleted": asyncio.ALL_COMPLETED,
}


def outcome(task):
    if not task.done():
        return "never"
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return f"returned {task.result()}" if error is None else kind(error)


def trace(source):
    loop = VirtualLoop()
    loop.set_exception_handler(lambda loop, context: None)
    try:
        return loop.run_until_complete(program(source))
    finally:
        loop.close()


async def program(source):
    return await Program(source).run()


for line in sys.stdin:
    print(json.dumps(trace(json.loads(line))), flush=True)
