import { describe, expect, test } from 'vitest';
import { BoundedSemaphore } from '../../src/aio/bounded-semaphore.ts';
import { createTask } from '../../src/aio/create-task.ts';
import { gather } from '../../src/aio/gather.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import type { Task } from '../../src/aio/loop/task.ts';
import { Semaphore } from '../../src/aio/semaphore.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { taskGroup } from '../../src/aio/task-group.ts';
import { waitFor } from '../../src/aio/wait-for.ts';
import { errorOf, expectCancelled, program, thrownBy, turns } from './support.ts';

/** Starts tasks that take a place each and note their number. */
function takers(semaphore: Semaphore, result: number[], numbers: readonly number[]): Task<void>[] {
  return numbers.map((number) =>
    createTask(async () => {
      await semaphore.acquire();
      result.push(number);
    }),
  );
}

describe('Semaphore', () => {
  test('of 0 is locked [test_initial_value_zero]', () => {
    expect(new Semaphore(0).locked()).toBe(true);
  });

  test('of 1 is free [test_semaphore]', () => {
    const semaphore = new Semaphore();
    expect([semaphore.locked(), semaphore.value]).toEqual([false, 1]);
  });

  test('of less than 0 is refused [test_semaphore_value]', () => {
    for (const value of [-1, Number.NaN]) expect(thrownBy(() => new Semaphore(value))).toBeInstanceOf(RangeError);
  });

  test(
    'lets as many in as it has places [test_acquire]',
    program(async () => {
      const semaphore = new Semaphore(3);
      const result: number[] = [];
      await semaphore.acquire();
      await semaphore.acquire();
      expect(semaphore.locked()).toBe(false);
      const tasks = takers(semaphore, result, [1, 2, 3]);
      await turns(1);
      expect([result, semaphore.locked(), semaphore.waiting, semaphore.value]).toEqual([[1], true, 2, 0]);
      tasks.push(...takers(semaphore, result, [4]));
      semaphore.release();
      semaphore.release();
      expect(semaphore.value).toBe(0);
      await turns(1);
      expect([result, semaphore.locked(), semaphore.waiting, semaphore.value]).toEqual([[1, 2, 3], true, 1, 0]);
      semaphore.release();
      await gather(tasks);
      expect(result).toEqual([1, 2, 3, 4]);
    }),
  );

  test(
    'forgets one whose wait is cancelled [test_acquire_cancel]',
    program(async () => {
      const semaphore = new Semaphore();
      await semaphore.acquire();
      const task = createTask(() => semaphore.acquire());
      currentLoop().callSoon(() => task.cancel());
      await expectCancelled(task);
      expect(semaphore.waiting).toBe(0);
    }),
  );

  test(
    'gives a place to the first who is not cancelled [test_acquire_cancel_before_awoken]',
    program(async () => {
      const semaphore = new Semaphore(0);
      const tasks = takers(semaphore, [], [1, 2, 3, 4]);
      await turns(1);
      tasks[0]?.cancel();
      tasks[1]?.cancel();
      semaphore.release();
      await turns(2);
      expect(tasks.map((task) => task.done())).toEqual([true, true, true, false]);
      tasks[3]?.cancel();
      await turns(1);
    }),
  );

  test(
    'gives the place of one who was cancelled at that moment to the next [test_acquire_hang]',
    program(async () => {
      const semaphore = new Semaphore(0);
      const tasks = takers(semaphore, [], [1, 2]);
      await turns(1);
      tasks[0]?.cancel();
      semaphore.release();
      await turns(2);
      expect([semaphore.locked(), tasks[1]?.done()]).toEqual([true, true]);
    }),
  );

  test(
    'takes the place back from one who is cancelled just after it was given it [test_acquire_no_hang]',
    program(async () => {
      const semaphore = new Semaphore(1);
      const first = createTask(async () => {
        {
          using _place = await semaphore.hold();
          await sleep(0);
        }
        second.cancel();
      });
      const second: Task<void> = createTask(async () => {
        using _place = await semaphore.hold();
        throw new Error('it must not get here');
      });
      const [one, two] = await gather([first, second], { returnExceptions: true });
      expect([one.status, two.status, second.cancelled()]).toEqual(['fulfilled', 'rejected', true]);
      await waitFor(() => semaphore.acquire(), 1000);
    }),
  );

  test(
    'is free after a release nobody waited for [test_release_no_waiters]',
    program(async () => {
      const semaphore = new Semaphore();
      await semaphore.acquire();
      expect(semaphore.locked()).toBe(true);
      semaphore.release();
      expect(semaphore.locked()).toBe(false);
    }),
  );

  test(
    'is fair to those who come again [test_acquire_fifo_order]',
    program(async () => {
      const semaphore = new Semaphore(1);
      const result: string[] = [];
      await taskGroup((group) => {
        for (const tag of ['c1', 'c2', 'c3']) {
          group.createTask(async () => {
            for (const round of [1, 2]) {
              await semaphore.acquire();
              result.push(`${tag}_${round}`);
              await sleep(10);
              semaphore.release();
            }
          });
        }
      });
      expect(result).toEqual(['c1_1', 'c2_1', 'c3_1', 'c1_2', 'c2_2', 'c3_2']);
    }),
  );

  test(
    'lets one who comes again wait behind those who wait [test_acquire_fifo_order_2]',
    program(async () => {
      const semaphore = new Semaphore(1);
      const result: number[] = [];
      const [first] = takers(semaphore, result, [1]);
      const second = createTask(async () => {
        await semaphore.acquire();
        result.push(2);
        semaphore.release();
        await semaphore.acquire();
        result.push(4);
      });
      const [third] = takers(semaphore, result, [3]);
      await turns(1);
      semaphore.release();
      semaphore.release();
      await gather([first, second, third].filter((task) => task !== undefined));
      expect(result).toEqual([1, 2, 3, 4]);
    }),
  );

  test(
    'keeps the order when the first is cancelled [test_acquire_fifo_order_3]',
    program(async () => {
      const semaphore = new Semaphore(0);
      const result: number[] = [];
      const tasks = takers(semaphore, result, [1, 2, 3]);
      await turns(1);
      tasks[0]?.cancel();
      await turns(1);
      semaphore.release();
      semaphore.release();
      await gather(tasks, { returnExceptions: true });
      expect(result).toEqual([2, 3]);
    }),
  );

  test(
    'wakes all it has places for before a task created meanwhile [test_acquire_fifo_order_4]',
    program(async () => {
      const semaphore = new Semaphore(0);
      const result: number[] = [];
      const tasks = [
        createTask(async () => {
          await semaphore.acquire();
          expect(semaphore.value).toBe(0);
          tasks.push(createTask(async () => void result.push(4)));
          result.push(1);
        }),
        createTask(async () => {
          for (let n = 0; n < 3; n += 1) semaphore.release();
          expect([semaphore.value, semaphore.locked()]).toEqual([2, true]);
          await semaphore.acquire();
          result.push(2);
        }),
        ...takers(semaphore, result, [3]),
      ];
      await turns(1);
      expect([semaphore.value, semaphore.waiting]).toEqual([2, 3]);
      await turns(1);
      await gather(tasks);
      expect(result).toEqual([1, 2, 3, 4]);
    }),
  );

  test('works outside of run, where a signal ends the wait', async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const controller = new AbortController();
    const cancelled = semaphore.acquire({ signal: controller.signal });
    const next = semaphore.acquire();
    controller.abort(new RangeError());
    expect(await errorOf(cancelled)).toBeInstanceOf(RangeError);
    semaphore.release();
    await next;
    expect([semaphore.value, semaphore.waiting]).toEqual([0, 0]);
  });
});

describe('BoundedSemaphore', () => {
  test('refuses a release without an acquire [test_release_not_acquired]', () => {
    expect(thrownBy(() => new BoundedSemaphore().release())).toBeInstanceOf(RangeError);
  });
});
