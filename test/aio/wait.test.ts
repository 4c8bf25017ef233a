import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import type { Future } from '../../src/aio/loop/future.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { wait } from '../../src/aio/wait.ts';
import { errorOf, now, program, turns } from './support.ts';

class Crash extends Error {}

const napping = (delayMs: number) => createTask(() => sleep(delayMs));
const failing = (delayMs: number) =>
  createTask(async () => {
    if (delayMs > 0) await sleep(delayMs);
    throw new Crash();
  });

describe('wait', () => {
  test(
    'returns when all have ended, and at once the next time [test_wait, test_wait_with_iterator_of_tasks]',
    program(async () => {
      const [a, b] = [napping(100), napping(150)];
      for (const tasks of [[b, a], [b, a].values()]) {
        const { done, running } = await wait(tasks);
        expect([[...done], running.size, now()]).toEqual([[b, a], 0, 150]);
      }
    }),
  );

  test(
    'takes a generator of tasks [test_wait_generator]',
    program(async () => {
      const tasks = function* () {
        for (let index = 0; index < 10; index += 1) yield createTask(() => index);
      };
      expect((await wait(tasks())).done.size).toBe(10);
    }),
  );

  test(
    'counts a task once that is given twice [test_wait_duplicate_coroutines]',
    program(async () => {
      const task = createTask(() => 'test');
      const { done, running } = await wait([task, task, createTask(() => 'spam')]);
      expect([[...done].map((each) => each.result()), running.size]).toEqual([['test', 'spam'], 0]);
    }),
  );

  test(
    'refuses no task, and what is no task [test_wait_errors, test_wait_invalid_args]',
    program(async () => {
      expect(await errorOf(wait([]))).toBeInstanceOf(RangeError);
      // The cast stands for a caller without types.
      expect(await errorOf(wait([Promise.resolve()] as unknown as Future<void>[]))).toBeInstanceOf(TypeError);
    }),
  );

  test(
    'returns with the first that has ended [test_wait_first_completed]',
    program(async () => {
      const [a, b] = [napping(10_000), napping(100)];
      const { done, running } = await wait([b, a], { returnWhen: 'firstCompleted' });
      expect([[...done], [...running], a.done(), b.done(), now()]).toEqual([[b], [a], false, true, 100]);
    }),
  );

  test(
    'counts those that ended in the same turn as done [test_wait_really_done]',
    program(async () => {
      const a = createTask(() => turns(1));
      const b = createTask(() => turns(2));
      const { done } = await wait([b, a], { returnWhen: 'firstCompleted' });
      expect([...done]).toEqual([b, a]);
    }),
  );

  for (const [id, delayMs] of [
    ['test_wait_first_exception', 0],
    ['test_wait_first_exception_in_wait', 10],
  ] as const) {
    test(
      `returns with the first failure after ${delayMs} ms, not with a first success [${id}]`,
      program(async () => {
        const [a, b, c] = [napping(10_000), failing(delayMs), createTask(() => {})];
        const { done, running } = await wait<Future<unknown>>([b, a, c], { returnWhen: 'firstException' });
        expect([[...done], [...running], now(), b.failed()]).toEqual([[b, c], [a], delayMs, true]);
        await errorOf(b);
      }),
    );
  }

  test(
    'returns when all have ended, failed or not [test_wait_with_exception]',
    program(async () => {
      const [a, b] = [napping(100), failing(150)];
      const { done, running } = await wait<Future<unknown>>([b, a]);
      expect([[...done].filter((each) => each.exception() !== undefined), running.size, now()]).toEqual([[b], 0, 150]);
    }),
  );

  for (const [id, timeoutMs] of [
    ['test_wait_with_timeout', 110],
    ['test_wait_concurrent_complete', 100],
  ] as const) {
    test(
      `returns what there is after ${timeoutMs} ms and cancels nothing [${id}]`,
      program(async () => {
        const [a, b] = [napping(100), napping(150)];
        await turns(1);
        const { done, running } = await wait([b, a], { timeoutMs });
        expect([[...done], [...running], now()]).toEqual([[a], [b], timeoutMs]);
        await b;
        expect(b.cancelled()).toBe(false);
      }),
    );
  }
});
