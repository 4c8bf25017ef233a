import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Condition } from '../../src/aio/condition.ts';
import { createTask } from '../../src/aio/create-task.ts';
import { Event } from '../../src/aio/event.ts';
import { gather } from '../../src/aio/gather.ts';
import { Lock } from '../../src/aio/lock.ts';
import type { Task } from '../../src/aio/loop/task.ts';
import { map } from '../../src/aio/map.ts';
import { Queue } from '../../src/aio/queue.ts';
import { run } from '../../src/aio/run.ts';
import { Semaphore } from '../../src/aio/semaphore.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { taskGroup } from '../../src/aio/task-group.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';
import { wait } from '../../src/aio/wait.ts';

/** One user of a primitive: when it comes, how long it stays, and when somebody cancels it. */
interface User {
  readonly comesMs: number;
  readonly staysMs: number;
  readonly cancelMs: number | null;
}

const shortMs = fc.integer({ min: 0, max: 6 });
const users = fc.array(fc.record({ comesMs: shortMs, staysMs: shortMs, cancelMs: fc.option(shortMs, { freq: 2 }) }), {
  minLength: 1,
  maxLength: 20,
});

const holds = <T>(arbitrary: fc.Arbitrary<T>, body: (value: T) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(arbitrary, (value) => run(() => body(value), { clock: new VirtualClock() })),
    { numRuns: 200 },
  );

/** Runs the users as tasks, cancels whom it should, and waits until all have ended. */
async function play(all: readonly User[], use: (user: User, index: number) => Promise<void>): Promise<Task<void>[]> {
  const tasks = all.map((user, index) =>
    createTask(async () => {
      await sleep(user.comesMs);
      await use(user, index);
    }),
  );
  for (const [index, { cancelMs }] of all.entries()) {
    if (cancelMs !== null) createTask(() => sleep(cancelMs).then(() => tasks[index]?.cancel()));
  }
  await wait(tasks);
  return tasks;
}

describe('whatever comes, stays, and is cancelled', () => {
  test('a semaphore is never over its limit, first come first served, and nothing of it is lost', async () => {
    await holds(fc.tuple(users, fc.integer({ min: 1, max: 4 })), async ([all, limit]) => {
      const semaphore = new Semaphore(limit);
      let inside = 0;
      const came: number[] = [];
      const entered: number[] = [];
      await play(all, async ({ staysMs }, index) => {
        came.push(index);
        using _place = await semaphore.hold();
        entered.push(index);
        inside += 1;
        expect(inside).toBeLessThanOrEqual(limit);
        await sleep(staysMs).finally(() => {
          inside -= 1;
        });
      });
      expect(entered).toEqual(came.filter((index) => entered.includes(index)));
      expect([semaphore.value, semaphore.waiting, inside]).toEqual([limit, 0, 0]);
    });
  });

  test('a lock is held by one at a time, first come first served, and is free at the end', async () => {
    await holds(users, async (all) => {
      const lock = new Lock();
      let holder: number | undefined;
      const came: number[] = [];
      const entered: number[] = [];
      await play(all, async ({ staysMs }, index) => {
        came.push(index);
        using _held = await lock.hold();
        expect(holder).toBeUndefined();
        holder = index;
        entered.push(index);
        await sleep(staysMs).finally(() => {
          holder = undefined;
        });
      });
      expect(entered).toEqual(came.filter((index) => entered.includes(index)));
      expect([lock.locked(), lock.waiting]).toEqual([false, 0]);
    });
  });

  test('a condition loses no notification: each item is taken while anybody is left to take it', async () => {
    await holds(users, async (all) => {
      const condition = new Condition();
      let items = 0;
      let takers = 0;
      await taskGroup(async (group) => {
        group.createTask(async () => {
          for (let item = 0; item < all.length; item += 1) {
            using _held = await condition.hold();
            items += 1;
            condition.notify();
            await sleep(item % 2);
          }
        });
        await play(all, async () => {
          using _held = await condition.hold();
          await condition.waitFor(() => items > 0);
          items -= 1;
          takers += 1;
        });
      });
      expect([items + takers, condition.waiting, condition.locked()]).toEqual([all.length, 0, false]);
    });
  });

  test('a queue neither loses nor doubles nor reorders items, and leaves nobody waiting', async () => {
    await holds(fc.tuple(users, fc.integer({ min: 0, max: 3 })), async ([all, maxsize]) => {
      const queue = new Queue<number>(maxsize);
      const put: number[] = [];
      const got: number[] = [];
      const consume = async () => {
        for await (const item of queue) got.push(item);
      };
      const consumers = createTask(async () => void (await play(all, consume)));
      const last = createTask(() => sleep(20).then(consume));
      await play(all, async ({ staysMs }, index) => {
        await sleep(staysMs);
        await queue.put(index);
        put.push(index);
      });
      queue.shutdown();
      await consumers;
      await last;
      expect(got).toEqual(put);
      expect(queue.waiting).toEqual({ getters: 0, putters: 0 });
    });
  });

  test('an event wakes everybody who waited and was not cancelled', async () => {
    await holds(users, async (all) => {
      const event = new Event();
      const woken: number[] = [];
      createTask(() => sleep(3).then(() => event.set()));
      const tasks = await play(all, async (_, index) => {
        await event.wait();
        woken.push(index);
      });
      expect(tasks.filter((task) => !task.cancelled())).toHaveLength(woken.length);
      expect(event.waiting).toBe(0);
    });
  });

  test('a bounded gather and map give every result in order and are never over their limit', async () => {
    await holds(
      fc.tuple(fc.array(shortMs, { maxLength: 20 }), fc.integer({ min: 1, max: 5 })),
      async ([delays, limit]) => {
        let running = 0;
        const work = async (delayMs: number, index: number) => {
          running += 1;
          expect(running).toBeLessThanOrEqual(limit);
          await sleep(delayMs);
          running -= 1;
          return index;
        };
        const order = delays.map((_, index) => index);
        const gathered = await gather(
          delays.map((delayMs, index) => () => work(delayMs, index)),
          { concurrency: limit },
        );
        const mapped: number[] = [];
        for await (const index of map(delays, work, { concurrency: limit })) mapped.push(index);
        expect([gathered, mapped]).toEqual([order, order]);
      },
    );
  });

  test('a task group ends with all its tasks ended', async () => {
    await holds(users, async (all) => {
      const tasks: Task<void>[] = [];
      const group = createTask(() =>
        taskGroup(async (inside) => {
          for (const { comesMs, staysMs } of all) {
            const body = async () => {
              await sleep(comesMs + staysMs);
              if (staysMs === 6) throw new Error('crash');
            };
            tasks.push(inside.createTask(body));
          }
          await sleep(3);
        }),
      );
      const [first] = all;
      if (first?.cancelMs != null) {
        await sleep(first.cancelMs);
        group.cancel();
      }
      await wait([group]);
      expect(tasks.every((task) => task.done())).toBe(true);
      if (group.failed()) group.exception();
    });
  });
});
