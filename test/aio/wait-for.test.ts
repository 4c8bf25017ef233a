import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { CancelledError, TimeoutError } from '../../src/aio/loop/errors.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { shield } from '../../src/aio/shield.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { wait } from '../../src/aio/wait.ts';
import { waitFor } from '../../src/aio/wait-for.ts';
import { errorOf, expectCancelled, now, program } from './support.ts';

class Crash extends Error {}

/** Runs for 200 ms whatever is asked of it. */
function stubborn(): { readonly body: () => Promise<void>; ended: boolean } {
  const task = {
    ended: false,
    async body() {
      const endMs = now() + 200;
      while (now() < endMs) await sleep(endMs - now()).catch(() => {});
      task.ended = true;
    },
  };
  return task;
}

describe('waitFor', () => {
  test(
    'ends with a stubborn function when it is cancelled [test_asyncio_wait_for_cancelled]',
    program(async () => {
      const slow = stubborn();
      const task = createTask(() => waitFor(slow.body, 400));
      await sleep(0);
      task.cancel();
      await wait([task]);
      expect([slow.ended, now()]).toEqual([true, 200]);
    }),
  );

  test(
    'ends with a stubborn function when its time is over [test_asyncio_wait_for_timeout]',
    program(async () => {
      const slow = stubborn();
      await waitFor(slow.body, 100);
      expect([slow.ended, now()]).toEqual([true, 200]);
    }),
  );

  test(
    'takes the result of a future that is done, whatever the time [test_wait_for_timeout_less_then_0_or_0_future_done]',
    program(async () => {
      const future = new Future<string>();
      future.setResult('done');
      expect(await waitFor(future, 0)).toBe('done');
    }),
  );

  test(
    'does not call the function without any time [test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started]',
    program(async () => {
      let called = false;
      const error = await errorOf(
        waitFor(async () => {
          called = true;
        }, 0),
      );
      expect([error instanceof TimeoutError, called]).toEqual([true, false]);
    }),
  );

  for (const [id, timeoutMs] of [
    ['test_wait_for_timeout_less_then_0_or_0', 0],
    ['test_wait_for_timeout_less_then_0_or_0', -1],
    ['test_wait_for', 100],
  ] as const) {
    test(
      `cancels a running task when ${timeoutMs} ms are over, and waits for its end [${id}]`,
      program(async () => {
        let running: boolean | undefined;
        const task = createTask(async () => {
          running = true;
          await sleep(10_000).finally(() => {
            running = false;
          });
        });
        await sleep(0);
        expect(await errorOf(waitFor(task, timeoutMs))).toBeInstanceOf(TimeoutError);
        expect([task.done(), task.cancelled(), running, now()]).toEqual([true, true, false, Math.max(0, timeoutMs)]);
      }),
    );
  }

  test(
    'waits for ever without a limit [test_wait_for_blocking]',
    program(async () => {
      expect(await waitFor(async () => 'done', undefined)).toBe('done');
    }),
  );

  test(
    'takes a result that comes in the next turn [test_wait_for_race_condition]',
    program(async () => {
      const future = new Future<string>();
      const waiting = waitFor(future, 200);
      currentLoop().callSoon(() => future.setResult('ok'));
      expect(await waiting).toBe('ok');
    }),
  );

  for (const id of ['test_wait_for_cancellation_race_condition', 'test_wait_for_cancel_suppressed'] as const) {
    test(
      `returns what the function returns in spite of the cancellation [${id}]`,
      program(async () => {
        const value = await waitFor(async () => {
          await expectCancelled(sleep(1000));
          return 42;
        }, 10);
        expect(value).toBe(42);
      }),
    );
  }

  for (const [id, timeoutMs] of [
    ['test_wait_for_waits_for_task_cancellation', 1],
    ['test_wait_for_waits_for_task_cancellation_w_timeout_0', 0],
  ] as const) {
    test(
      `waits for the cleanup of a task after ${timeoutMs} ms [${id}]`,
      program(async () => {
        let ended = false;
        const task = createTask(async () => {
          try {
            await sleep(10_000);
          } catch (error) {
            await sleep(1);
            throw error;
          } finally {
            ended = true;
          }
        });
        await sleep(1);
        const error = await errorOf(waitFor(task, timeoutMs));
        expect([error instanceof TimeoutError, ended]).toEqual([true, true]);
        expect((error as TimeoutError).cause).toBeInstanceOf(CancelledError);
      }),
    );
  }

  test(
    'throws the error of a cleanup [test_wait_for_reraises_exception_during_cancellation]',
    program(async () => {
      const task = createTask(async () => {
        await sleep(200).finally(() => {
          throw new Crash();
        });
      });
      expect(await errorOf(waitFor(task, 1))).toBeInstanceOf(Crash);
    }),
  );

  for (const [id, timeoutMs] of [
    ['test_cancel_blocking_wait_for', undefined],
    ['test_cancel_wait_for', 60_000],
  ] as const) {
    test(
      `cancels the task when it is cancelled itself, with a limit of ${timeoutMs} ms [${id}]`,
      program(async () => {
        const task = createTask(async () => await new Future<void>());
        const waiting = createTask(() => waitFor(task, timeoutMs));
        currentLoop().callSoon(() => waiting.cancel());
        await expectCancelled(waiting);
        expect(task.cancelled()).toBe(true);
      }),
    );
  }

  test(
    'is cancelled although the task has just ended [test_wait_for_issue86296]',
    program(async () => {
      const inner = createTask(async () => 'done');
      let reachedEnd = false;
      const task = createTask(async () => {
        await waitFor(inner, 100);
        await sleep(1);
        reachedEnd = true;
      });
      await sleep(0);
      task.cancel();
      await expectCancelled(task);
      expect([inner.done(), await inner, reachedEnd]).toEqual([true, 'done', false]);
    }),
  );

  const slow = async () => {
    await sleep(100);
    return 'done';
  };

  test(
    'leaves a shielded task running without any time [test_zero_timeout]',
    program(async () => {
      const task = createTask(slow);
      const shielded = shield(task);
      expect(await errorOf(waitFor(shielded, 0))).toBeInstanceOf(TimeoutError);
      expect([task.done(), shielded.cancelled()]).toEqual([false, true]);
      expect(await task).toBe('done');
    }),
  );

  test(
    'waits for a shielded task without a limit [test_none_timeout]',
    program(async () => {
      const task = createTask(slow);
      expect(await waitFor(shield(task), undefined)).toBe('done');
      expect(task.done()).toBe(true);
    }),
  );

  test(
    'leaves a shielded task running when its time is over [test_shielded_timeout]',
    program(async () => {
      const task = createTask(slow);
      expect(await errorOf(waitFor(shield(task), 10))).toBeInstanceOf(TimeoutError);
      expect(task.done()).toBe(false);
      expect(await task).toBe('done');
    }),
  );

  test(
    'ends only the wait for a foreign promise',
    program(async () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      expect(await errorOf(waitFor(promise, 10))).toBeInstanceOf(TimeoutError);
      resolve('late');
      expect(await promise).toBe('late');
    }),
  );
});
