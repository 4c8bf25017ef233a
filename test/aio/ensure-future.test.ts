import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { type Awaitable, ensureFuture } from '../../src/aio/ensure-future.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { Task } from '../../src/aio/loop/task.ts';
import { errorOf, program, thrownBy } from './support.ts';

describe('ensureFuture', () => {
  test(
    'makes a task of a function [test_ensure_future_coroutine]',
    program(async () => {
      const task = ensureFuture(async () => 'ok');
      expect([task instanceof Task, task.done(), await task]).toEqual([true, false, 'ok']);
    }),
  );

  test(
    'leaves futures and tasks as they are [test_ensure_future_future, test_ensure_future_task]',
    program(async () => {
      const future = new Future<void>();
      const task = createTask(() => {});
      expect([ensureFuture(future) === future, ensureFuture(task) === task]).toEqual([true, true]);
    }),
  );

  test(
    'makes a future of anything with a then [test_ensure_future_awaitable, test_ensure_future_task_awaitable]',
    program(async () => {
      expect(await ensureFuture(Promise.resolve(1))).toBe(1);
      expect(await errorOf(ensureFuture(Promise.reject(new RangeError())))).toBeInstanceOf(RangeError);
    }),
  );

  test(
    'refuses everything else, and says what it got [test_ensure_future_neither, test_ensure_future_error_msg]',
    program(async () => {
      // The cast stands for a caller without types.
      const error = thrownBy(() => ensureFuture('ok' as unknown as Awaitable<string>));
      expect(error).toMatchObject({ message: 'expected a task, an async function, or a promise, got ok' });
    }),
  );
});
