import { describe, expect, test } from 'vitest';
import { asCompleted } from '../../src/aio/as-completed.ts';
import { createTask } from '../../src/aio/create-task.ts';
import { InvalidStateError, TimeoutError } from '../../src/aio/loop/errors.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { errorOf, now, program, thrownBy } from './support.ts';

const later =
  <T>(delayMs: number, value: T) =>
  async () => {
    await sleep(delayMs);
    return value;
  };

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe('asCompleted', () => {
  test(
    'yields each as it ends, with the index of its input [test_as_completed, test_as_completed_coroutine_use_running_loop]',
    program(async () => {
      const seen: unknown[] = [];
      for await (const { index, task } of asCompleted([later(10, 'a'), later(5, 'b'), later(1, 'c')])) {
        seen.push([index, task.result(), now()]);
      }
      expect(seen).toEqual([
        [2, 'c', 1],
        [1, 'b', 5],
        [0, 'a', 10],
      ]);
    }),
  );

  test(
    'yields the very tasks it was given [test_as_completed_same_tasks_in_as_out]',
    program(async () => {
      const tasks = [createTask(later(10, 'a')), createTask(later(5, 'b'))] as const;
      const seen = (await all(asCompleted(tasks))).map(({ task }) => task);
      expect(seen).toEqual([tasks[1], tasks[0]]);
    }),
  );

  test(
    'throws when its time is over, and yields what ended before [test_as_completed_with_timeout]',
    program(async () => {
      const seen: unknown[] = [];
      const iterating = async () => {
        for await (const { task } of asCompleted([later(100, 'a'), later(150, 'b')], { timeoutMs: 120 })) {
          seen.push(task.result());
        }
      };
      expect(await errorOf(iterating())).toBeInstanceOf(TimeoutError);
      expect([seen, now()]).toEqual([['a'], 120]);
    }),
  );

  test(
    'leaves no timer behind when all ended in time [test_as_completed_with_unused_timeout]',
    program(async () => {
      expect(await all(asCompleted([later(10, 'a')], { timeoutMs: 1000 }))).toHaveLength(1);
      await sleep(2000);
    }),
  );

  test(
    'yields those that end at the same instant [test_as_completed_concurrent]',
    program(async () => {
      const seen = await all(asCompleted([later(50, 'a'), later(50, 'b')]));
      expect(seen.map(({ task }) => task.result())).toEqual(['a', 'b']);
    }),
  );

  test(
    'calls a function each time it is given, and yields a task once [test_as_completed_duplicate_coroutines]',
    program(async () => {
      const ham = later(0, 'ham');
      const task = createTask(later(0, 'eggs'));
      const seen = await all(asCompleted([task, ham, ham, task, later(0, 'spam')]));
      expect(seen.map(({ index, task }) => [index, task.result()])).toEqual([
        [0, 'eggs'],
        [1, 'ham'],
        [2, 'ham'],
        [4, 'spam'],
      ]);
    }),
  );

  test('works inside run only [test_as_completed_coroutine_without_loop]', () => {
    expect(thrownBy(() => asCompleted([later(0, 1)]))).toBeInstanceOf(InvalidStateError);
  });

  test(
    'refuses what cannot be awaited [test_as_completed_invalid_args]',
    program(async () => {
      // The cast stands for a caller without types.
      expect(thrownBy(() => asCompleted([1] as unknown as [Promise<void>]))).toBeInstanceOf(TypeError);
    }),
  );

  test(
    'runs no more at a time than it may',
    program(async () => {
      const seen = await all(asCompleted([later(30, 'a'), later(10, 'b'), later(10, 'c')], { concurrency: 2 }));
      expect([seen.map(({ index }) => index), now()]).toEqual([[1, 2, 0], 30]);
    }),
  );

  test(
    'ends what it started when the loop is left early, and not what it was given',
    program(async () => {
      let cancelled = 0;
      const given = createTask(later(100, 'given'));
      const slow = async () => {
        await sleep(1000).catch((error: unknown) => {
          cancelled += 1;
          throw error;
        });
      };
      for await (const { index } of asCompleted([later(10, 'a'), slow, given])) {
        expect(index).toBe(0);
        break;
      }
      expect([cancelled, now(), given.done()]).toEqual([1, 10, false]);
      expect(await given).toBe('given');
    }),
  );
});
