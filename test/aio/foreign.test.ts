import { setTimeout as foreignSleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { CancelledError, TimeoutError } from '../../src/aio/loop/errors.ts';
import { timeout } from '../../src/aio/timeout.ts';
import { type ThreadPool, toThread } from '../../src/aio/to-thread.ts';
import { until } from '../../src/aio/until.ts';
import { withSignal } from '../../src/aio/with-signal.ts';
import { errorOf, expectCancelled, me, program, turns } from './support.ts';

class Crash extends Error {}

/** A foreign call that ends when the test says so. */
function foreign<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const call = { signal: new AbortController().signal, promise, resolve, reject };
  const start = (signal: AbortSignal) => {
    call.signal = signal;
    return promise;
  };
  return { call, start };
}

describe('until', () => {
  test(
    'gives the result of a foreign promise, or throws its error',
    program(async () => {
      expect(await until(Promise.resolve(1))).toBe(1);
      expect(await errorOf(until(Promise.reject(new Crash())))).toBeInstanceOf(Crash);
    }),
  );

  test(
    'ends at once when the task is cancelled',
    program(async () => {
      const { call } = foreign<void>();
      const task = createTask(() => until(call.promise));
      await turns(1);
      task.cancel();
      await expectCancelled(task);
      call.reject(new Crash('unheeded'));
    }),
  );
});

describe('withSignal', () => {
  test(
    'aborts the call, and ends when it has ended',
    program(async () => {
      const { call, start } = foreign<void>();
      const task = createTask(() => withSignal(start));
      await turns(1);
      task.cancel('stop');
      expect([call.signal.aborted, task.done()]).toEqual([true, false]);
      await turns(3);
      expect(task.done()).toBe(false);
      call.reject(new DOMException('aborted', 'AbortError'));
      expect((await expectCancelled(task)).reason).toBe('stop');
    }),
  );

  test(
    'keeps a result that came in spite of the cancellation, and other errors',
    program(async () => {
      for (const [end, expected] of [
        [(call: ReturnType<typeof foreign<string>>['call']) => call.resolve('value'), 'value'],
        [(call: ReturnType<typeof foreign<string>>['call']) => call.reject(new Crash()), expect.any(Crash)],
      ] as const) {
        const { call, start } = foreign<string>();
        const task = createTask(() => withSignal(start).catch((error: unknown) => error));
        await turns(1);
        task.cancel();
        end(call);
        expect(await task).toEqual(expected);
      }
    }),
  );

  test(
    'delivers one cancellation once, and gives a cleanup a signal of its own',
    program(async () => {
      const task = createTask(async (self) => {
        await expectCancelled(withSignal((signal) => foreignSleep(60_000, undefined, { signal })));
        expect(self.signal.aborted).toBe(true);
        return await withSignal((signal) => foreignSleep(0, signal.aborted, { signal }));
      });
      await turns(1);
      task.cancel();
      expect(await task).toBe(false);
    }),
  );

  test(
    'is interrupted by a timeout, after which signals work again',
    program(async () => {
      const slow = timeout(10, () => withSignal((signal) => foreignSleep(60_000, undefined, { signal })));
      expect(await errorOf(slow)).toBeInstanceOf(TimeoutError);
      const direct = timeout(10, (scope) => foreignSleep(60_000, undefined, { signal: scope.signal }));
      expect(await errorOf(direct)).toBeInstanceOf(TimeoutError);
      expect([me().signal.aborted, me().cancelling()]).toEqual([false, 0]);
      await turns(1);
    }),
  );

  test('works outside of run', async () => {
    expect(await withSignal(async (signal) => signal.aborted)).toBe(false);
  });
});

describe('toThread', () => {
  test(
    'hands the input and what is transferred to the pool, and gives its answer',
    program(async () => {
      const seen: unknown[] = [];
      const pool: ThreadPool<number, number> = {
        run: async (input, { transferList }) => {
          seen.push(transferList);
          return input * 2;
        },
      };
      const buffer = new ArrayBuffer(1);
      expect([await toThread(pool, 21, { transferList: [buffer] }), await toThread(pool, 1)]).toEqual([42, 2]);
      expect(seen).toEqual([[buffer], undefined]);
    }),
  );

  test(
    'aborts the run when the task is cancelled, and ends when it has ended',
    program(async () => {
      const { call, start } = foreign<number>();
      const pool: ThreadPool<number, number> = { run: (_input, { signal }) => start(signal) };
      const task = createTask(() => toThread(pool, 1));
      await turns(1);
      task.cancel();
      expect([call.signal.aborted, call.signal.reason]).toEqual([true, expect.any(CancelledError)]);
      call.reject(call.signal.reason);
      await expectCancelled(task);
    }),
  );
});
