import { AsyncLocalStorage } from 'node:async_hooks';
import {
  asCompleted,
  Barrier,
  BrokenBarrierError,
  CancelledError,
  Condition,
  contextVar,
  createTask,
  currentLoop,
  currentTask,
  Event,
  type ExceptClause,
  ExceptionGroup,
  exceptStar,
  gather,
  InvalidStateError,
  Lock,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  run,
  Semaphore,
  shield,
  sleep,
  type Task,
  TaskGroup,
  TimeoutError,
  type TimeoutScope,
  taskGroup,
  timeout,
  VirtualClock,
  wait,
  waitFor,
} from '../../src/aio/index.ts';
import type { Act, Block, Clause, Statement } from './program.ts';

/**
 * Runs a program on virtual time and returns what happened, as differential.py does.
 *
 * A program can lock itself up for good, say when a task that must retake a condition's lock is awaited by the one who holds
 * it; then `run` never ends, and nobody waits for it.
 */
export function traceOf(program: Block): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const main = async () => resolve(await new Program().run(program));
    run(main, { clock: new VirtualClock(), onUnhandledError: () => {} }).catch(reject);
  });
}

class Boom extends Error {}

const variable = contextVar('var', { default: -1 });
const store = new AsyncLocalStorage<number>();

interface Place {
  readonly who: string;
  readonly groups: readonly TaskGroup[];
  readonly scope: TimeoutScope | undefined;
}

class Program {
  readonly #trace: string[] = [];
  readonly #naps: string[] = [];
  #labels = 0;
  readonly #tasks: Task<unknown>[] = [];
  readonly #locks = [new Lock(), new Lock()];
  readonly #semaphores = [new Semaphore(1), new Semaphore(2)];
  readonly #events = [new Event(), new Event()];
  readonly #conditions = [new Condition(), new Condition()];
  readonly #queues = [new Queue<number>(), new Queue<number>(1)];
  readonly #barriers = [new Barrier(2), new Barrier(3)];

  async run(program: Block): Promise<string[]> {
    const root = createTask(() => this.#body(program, []));
    this.#tasks.push(root);
    await wait([root], { timeoutMs: 1000 });
    for (let round = 0; round < 20; round += 1) {
      const left = this.#running();
      if (left.length === 0) break;
      for (const task of left) {
        this.#log('driver', `cancel ${this.#tasks.indexOf(task)}`);
        task.cancel();
      }
      await sleep(50);
    }
    for (const [index, task] of this.#tasks.entries()) {
      this.#log('driver', `${index} ended ${outcome(task)} ${task.cancelling()}`);
    }
    return [...this.#trace, ...this.#naps.sort()];
  }

  #running(): Task<unknown>[] {
    return this.#tasks.filter((task) => !task.done());
  }

  #log(who: string, what: string): void {
    this.#trace.push(`${currentLoop().time()} ${who} ${what}`);
  }

  async #body(block: Block, groups: readonly TaskGroup[]): Promise<string> {
    const me = self();
    if (!this.#tasks.includes(me)) this.#tasks.push(me);
    const who = `t${this.#tasks.indexOf(me)}`;
    this.#log(who, 'starts');
    try {
      await this.#block(block, { who, groups, scope: undefined });
    } catch (error) {
      this.#log(who, `throws ${kind(error)}`);
      throw error;
    }
    this.#log(who, 'returns');
    return who;
  }

  async #block(block: Block, place: Place): Promise<void> {
    for (const statement of block) {
      const told = await this.#do(statement, place);
      this.#log(place.who, told === undefined ? statement.op : `${statement.op} ${told}`);
    }
  }

  #target(statement: { readonly task: number }): Task<unknown> {
    return at(this.#tasks, statement.task % this.#tasks.length);
  }

  #allYounger(): Task<unknown>[] {
    return this.#tasks.slice(this.#tasks.indexOf(self()) + 1);
  }

  #younger(statement: { readonly task: number }): Task<unknown> | undefined {
    const younger = this.#allYounger();
    return younger[statement.task % younger.length];
  }

  #spawn(block: Block, place: Place, create: typeof createTask): void {
    this.#tasks.push(create(() => this.#body(block, place.groups)));
  }

  async #do(statement: Statement, place: Place): Promise<unknown> {
    switch (statement.op) {
      case 'sleep':
        return await sleep(statement.ms);
      case 'raise':
        throw new Boom();
      case 'try':
        return await this.#try(statement, place);
      case 'spawn':
        return this.#spawn(statement.body, place, createTask);
      case 'groupSpawn': {
        const group = place.groups.at(-1);
        if (group !== undefined) this.#spawn(statement.body, place, (body) => group.createTask(body));
        return;
      }
      case 'join':
        return await this.#younger(statement);
      case 'cancel':
        return python(this.#target(statement).cancel());
      case 'uncancel':
        return self().uncancel();
      case 'cancelling':
        return this.#target(statement).cancelling();
      case 'gather':
        return await this.#gather(statement, place);
      case 'waitFor':
        return await waitFor(() => this.#block(statement.body, place), statement.ms);
      case 'waitForTask': {
        const task = this.#younger(statement);
        return task === undefined ? undefined : await waitFor(task, statement.ms);
      }
      case 'timeout': {
        let scope: TimeoutScope | undefined;
        await timeout(statement.ms, (inner) => {
          scope = inner;
          return this.#block(statement.body, { ...place, scope });
        });
        return python(scope?.expired() ?? false);
      }
      case 'reschedule':
        return place.scope?.reschedule(currentLoop().time() + statement.ms);
      case 'group':
        return await taskGroup(async (group) => {
          const inside = { ...place, groups: [...place.groups, group] };
          for (const child of statement.children) this.#spawn(child, inside, (body) => group.createTask(body));
          await this.#block(statement.body, inside);
        });
      case 'shield': {
        const task = this.#younger(statement);
        return task === undefined ? undefined : await shield(task);
      }
      case 'shieldBody':
        return await shield(() => this.#body(statement.body, place.groups));
      case 'wait': {
        const younger = this.#allYounger();
        if (younger.length === 0) return;
        const { done } = await wait(younger, { timeoutMs: statement.ms ?? undefined, returnWhen: statement.when });
        return `[${[...done].map((task) => this.#tasks.indexOf(task))}]`;
      }
      case 'asCompleted':
        return await this.#asCompleted(statement, place);
      case 'lock': {
        using _held = await at(this.#locks, statement.which).hold();
        this.#log(place.who, 'locked');
        return await this.#block(statement.body, place);
      }
      case 'semaphore': {
        using _held = await at(this.#semaphores, statement.which).hold();
        this.#log(place.who, 'acquired');
        return await this.#block(statement.body, place);
      }
      case 'acquire':
        return await at(this.#semaphores, statement.which).acquire();
      case 'release':
        return at(this.#semaphores, statement.which).release();
      case 'set':
        return at(this.#events, statement.which).set();
      case 'clear':
        return at(this.#events, statement.which).clear();
      case 'waitEvent':
        return await at(this.#events, statement.which).wait();
      case 'waitCondition': {
        using _held = await at(this.#conditions, statement.which).hold();
        return await at(this.#conditions, statement.which).wait();
      }
      case 'notify': {
        using _held = await at(this.#conditions, statement.which).hold();
        at(this.#conditions, statement.which).notify(statement.count);
        return await this.#block(statement.body, place);
      }
      case 'barrier':
        return await at(this.#barriers, statement.which).wait();
      case 'put':
        return await at(this.#queues, statement.which).put(statement.value);
      case 'get':
        return await at(this.#queues, statement.which).get();
      case 'putNowait':
        return at(this.#queues, statement.which).putNowait(statement.value);
      case 'getNowait':
        return at(this.#queues, statement.which).getNowait();
      case 'taskDone':
        return at(this.#queues, statement.which).taskDone();
      case 'joinQueue':
        return await at(this.#queues, statement.which).join();
      case 'gatherSame':
        return await this.#gatherSame(statement, place);
      case 'asCompletedSame':
        return await this.#asCompletedSame(statement);
      case 'nestedGather':
        return await this.#nestedGather(statement, place);
      case 'setVar': {
        const token = variable.set(statement.value);
        try {
          return await this.#block(statement.body, place);
        } finally {
          variable.reset(token);
        }
      }
      case 'setStore':
        return await store.run(statement.value, () => this.#block(statement.body, place));
      case 'readVars':
        return this.#logVars(place.who);
      case 'callSoon':
        currentLoop().callSoon(this.#callback(statement.acts));
        return;
      case 'callLater':
        currentLoop().callLater(statement.ms, this.#callback(statement.acts));
        return;
      case 'onDone':
        return this.#target(statement).addDoneCallback(this.#callback(statement.acts));
      case 'usingGroup':
        return await this.#usingGroup(statement, place);
      case 'looseGroup':
        new TaskGroup().createTask(() => this.#body([], place.groups));
        return;
      case 'exceptStar':
        try {
          return await this.#block(statement.body, place);
        } catch (error) {
          return await exceptStar(error, ...statement.clauses.map((clause) => this.#clause(clause, place.who)));
        }
      case 'sleepNone':
        return await sleep(Number.NaN);
      case 'shutdown':
        return at(this.#queues, statement.which).shutdown({ immediate: statement.immediate });
    }
  }

  async #try(statement: Statement & { op: 'try' }, place: Place): Promise<void> {
    try {
      await this.#block(statement.body, place);
    } catch (error) {
      if (statement.catches !== 'all' && kind(error) !== statement.catches) throw error;
      this.#log(place.who, `catches ${kind(error)}`);
      await this.#block(statement.handler, place);
      if (statement.rethrows) throw error;
    } finally {
      this.#log(place.who, 'finally');
      await this.#block(statement.last, place);
    }
  }

  #logVars(who: string): void {
    this.#log(who, `sees ${variable.get()} ${store.getStore() ?? -1}`);
  }

  #callback(acts: readonly Act[]): () => void {
    this.#labels += 1;
    const who = `c${this.#labels}`;
    return () => {
      this.#log(who, `called ${python(currentTask() === undefined)}`);
      for (const act of acts) this.#act(act, who);
    };
  }

  #act(act: Act, who: string): void {
    switch (act.act) {
      case 'readVars':
        this.#logVars(who);
        return;
      case 'raise':
        throw new Boom();
      case 'setVar':
        variable.set(act.value);
        return;
      case 'spawn':
        this.#tasks.push(createTask(() => this.#body(act.body, [])));
        return;
      case 'nap':
        sleep(act.ms).then(() => {
          const sees = `${variable.get()} ${store.getStore() ?? -1}`;
          this.#naps.push(`${currentLoop().time()} ${who} napped ${sees}`);
        });
        return;
    }
  }

  #clause({ catches, raises }: Clause, who: string): ExceptClause {
    const handler = (group: ExceptionGroup) => {
      this.#log(who, `handles ${kind(group)}`);
      if (raises) throw new Boom();
    };
    return [(error) => kind(error) === catches, handler];
  }

  async #usingGroup(statement: Statement & { op: 'usingGroup' }, place: Place): Promise<void> {
    try {
      await using group = new TaskGroup();
      const inside = { ...place, groups: [...place.groups, group] };
      for (const child of statement.children) this.#spawn(child, inside, (body) => group.createTask(body));
      for (const ms of statement.sleeps) await sleep(ms);
    } catch (error) {
      // JavaScript keeps both errors of a scope left by a cancellation whose end throws the group.
      throw error instanceof SuppressedError ? error.error : error;
    }
  }

  async #gatherSame(statement: Statement & { op: 'gatherSame' }, place: Place): Promise<string> {
    const body = () => this.#body(statement.body, place.groups);
    const concurrency = statement.concurrent ? 2 : undefined;
    return (await gather(Array(statement.times).fill(body), { concurrency })).join(',');
  }

  async #asCompletedSame(statement: Statement & { op: 'asCompletedSame' }): Promise<number> {
    let seen = 0;
    const one = async () => {
      await sleep(statement.ms);
      seen += 1;
      return seen;
    };
    let sum = 0;
    for await (const { task } of asCompleted(Array(statement.times).fill(one))) sum += task.result() as number;
    return sum;
  }

  async #nestedGather(statement: Statement & { op: 'nestedGather' }, place: Place): Promise<string> {
    const inner = gather(statement.bodies.map((block) => () => this.#body(block, place.groups)));
    const outer = gather([inner, () => sleep(1)]);
    await sleep(0);
    if (statement.cancelled) this.#log(place.who, `cancel ${python(outer.cancel())}`);
    const [results] = await outer;
    return results.join(',');
  }

  async #gather(statement: Statement & { op: 'gather' }, place: Place): Promise<string> {
    const bodies = statement.bodies.map((block) => () => this.#body(block, place.groups));
    const task = statement.joins ? this.#younger(statement) : undefined;
    const all = task === undefined ? bodies : [...bodies, task];
    if (!statement.returnExceptions) return (await gather(all)).join(',');
    const outcomes = await gather(all, { returnExceptions: true });
    return outcomes.map((each) => (each.status === 'fulfilled' ? each.value : kind(each.reason))).join(',');
  }

  async #asCompleted(statement: Statement & { op: 'asCompleted' }, place: Place): Promise<string> {
    const tasks = statement.bodies.map((block) => createTask(() => this.#body(block, place.groups)));
    this.#tasks.push(...tasks);
    const seen: number[] = [];
    for await (const { index, task } of asCompleted(tasks, { timeoutMs: statement.ms ?? undefined })) {
      this.#log(place.who, `completed ${index} ${outcome(task)}`);
      seen.push(index);
    }
    return seen.join(',');
  }
}

function self(): Task<unknown> {
  const task = currentTask();
  if (task === undefined) throw new Error('a program runs in tasks only');
  return task;
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`there is no number ${index}`);
  return value;
}

function python(value: boolean): string {
  return value ? 'True' : 'False';
}

function outcome(task: {
  done(): boolean;
  cancelled(): boolean;
  failed(): boolean;
  exception(): unknown;
  result(): unknown;
}): string {
  if (!task.done()) return 'never';
  if (task.cancelled()) return 'cancelled';
  return task.failed() ? kind(task.exception()) : `returned ${task.result()}`;
}

function kind(error: unknown): string {
  if (error instanceof ExceptionGroup) return `group(${error.errors.map(kind).join(',')})`;
  if (error instanceof CancelledError) return 'cancelled';
  if (error instanceof TimeoutError) return 'timeout';
  if (error instanceof Boom) return 'boom';
  if (error instanceof QueueEmpty) return 'empty';
  if (error instanceof QueueFull) return 'full';
  if (error instanceof QueueShutDown) return 'shutdown';
  if (error instanceof BrokenBarrierError) return 'broken';
  if (error instanceof InvalidStateError) return 'state';
  if (error instanceof RangeError) return 'value';
  return String(error);
}
