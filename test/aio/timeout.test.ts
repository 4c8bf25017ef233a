import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { currentDeadline } from '../../src/aio/current-deadline.ts';
import { ExceptionGroup } from '../../src/aio/exception-group.ts';
import { CancelledError, InvalidStateError, TimeoutError } from '../../src/aio/loop/errors.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { TimeoutScope } from '../../src/aio/loop/timeout-scope.ts';
import { moveOnAfter } from '../../src/aio/move-on-after.ts';
import { run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { taskGroup } from '../../src/aio/task-group.ts';
import { timeout, timeoutAt } from '../../src/aio/timeout.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';
import { errorOf, expectCancelled, me, now, program, thrownBy } from './support.ts';

class Crash extends Error {}

/** Says that the promise times out, and gives the error. */
async function expectTimeout(promise: PromiseLike<unknown>): Promise<TimeoutError> {
  const error = await errorOf(promise);
  expect(error).toBeInstanceOf(TimeoutError);
  return error as TimeoutError;
}

/** Keeps the scope for looking at it afterwards. */
function kept(): { scope: TimeoutScope } {
  return { scope: new TimeoutScope(undefined) };
}

describe('timeout', () => {
  for (const [id, enter] of [
    ['test_timeout_basic', timeout],
    ['test_timeout_at_basic', timeoutAt],
  ] as const) {
    test(
      `interrupts a wait at its deadline [${id}]`,
      program(async () => {
        const keep = kept();
        const slow = enter(10, (scope) => {
          keep.scope = scope;
          return sleep(10_000);
        });
        expect((await expectTimeout(slow)).cause).toBeInstanceOf(CancelledError);
        expect([keep.scope.expired(), keep.scope.when(), now()]).toEqual([true, 10, 10]);
      }),
    );
  }

  test(
    'reports the outermost of two scopes with the same deadline [test_nested_timeouts]',
    program(async () => {
      const [outer, inner] = [kept(), kept()];
      let cancelled = false;
      const slow = timeoutAt(10, async (scope) => {
        outer.scope = scope;
        const error = await errorOf(
          timeoutAt(10, (nested) => {
            inner.scope = nested;
            return sleep(10_000);
          }),
        );
        cancelled = error instanceof CancelledError;
        throw error;
      });
      await expectTimeout(slow);
      expect([cancelled, outer.scope.expired(), inner.scope.expired(), me().cancelling()]).toEqual([
        true,
        true,
        true,
        0,
      ]);
    }),
  );

  test(
    'is seen as a cancellation inside [test_waiter_cancelled]',
    program(async () => {
      let cancelled = false;
      const slow = timeout(10, async () => {
        await expectCancelled(sleep(10_000));
        cancelled = true;
        throw new CancelledError();
      });
      await expectTimeout(slow);
      expect(cancelled).toBe(true);
    }),
  );

  test(
    'does nothing to code that is in time [test_timeout_not_called]',
    program(async () => {
      const keep = kept();
      const value = await timeout(10_000, async (scope) => {
        keep.scope = scope;
        await sleep(10);
        return 'value';
      });
      expect([value, keep.scope.expired(), keep.scope.when(), now()]).toEqual(['value', false, 10_000, 10]);
    }),
  );

  for (const [id, enter] of [
    ['test_timeout_disabled', timeout],
    ['test_timeout_at_disabled', timeoutAt],
  ] as const) {
    test(
      `never expires without a deadline [${id}]`,
      program(async () => {
        const seen = await enter(undefined, async (scope) => {
          await sleep(10_000);
          return [scope.expired(), scope.when()];
        });
        expect(seen).toEqual([false, undefined]);
      }),
    );
  }

  for (const [id, delayMs, sleepMs] of [
    ['test_timeout_zero', 0, 10_000],
    ['test_timeout_zero_sleep_zero', 0, 0],
    ['test_timeout_in_the_past_sleep_zero', -11_000, 0],
  ] as const) {
    test(
      `of ${delayMs} ms interrupts even a sleep of ${sleepMs} ms [${id}]`,
      program(async () => {
        const keep = kept();
        const slow = timeout(delayMs, (scope) => {
          keep.scope = scope;
          return sleep(sleepMs);
        });
        await expectTimeout(slow);
        expect([keep.scope.expired(), keep.scope.when(), now()]).toEqual([true, delayMs, 0]);
      }),
    );
  }

  test(
    'around code that never waits does not expire',
    program(async () => {
      const keep = kept();
      await timeout(0, async (scope) => {
        keep.scope = scope;
        await Promise.resolve();
      });
      expect([keep.scope.expired(), me().cancelling()]).toEqual([false, 0]);
      await sleep(0);
    }),
  );

  test(
    'lets other errors through [test_foreign_exception_passed]',
    program(async () => {
      const keep = kept();
      const failing = timeout(10, (scope) => {
        keep.scope = scope;
        throw new Crash();
      });
      expect(await errorOf(failing)).toBeInstanceOf(Crash);
      expect(keep.scope.expired()).toBe(false);
    }),
  );

  test(
    'has the cancellation it made as its cause [test_timeout_exception_context]',
    program(async () => {
      const slow = timeout(10, async () => {
        try {
          throw new Crash();
        } finally {
          await sleep(1000);
        }
      });
      expect((await expectTimeout(slow)).cause).toBeInstanceOf(CancelledError);
    }),
  );

  for (const [id, depth] of [
    ['test_foreign_exception_on_timeout', 1],
    ['test_foreign_exception_on_timeout_2', 2],
  ] as const) {
    test(
      `lets the error of a cleanup through, ${depth} deep [${id}]`,
      program(async () => {
        const cleanUp = async (left: number): Promise<void> => {
          try {
            await (left > 1 ? cleanUp(left - 1) : sleep(1000));
          } finally {
            // biome-ignore lint/correctness/noUnsafeFinally: a cleanup that fails is what is tested.
            throw new Crash(`cleanup ${left}`);
          }
        };
        const error = await errorOf(timeout(10, () => cleanUp(depth)));
        expect(error).toMatchObject({ message: `cleanup ${depth}` });
        expect([now(), me().cancelling()]).toEqual([10, 0]);
      }),
    );
  }

  test(
    'leaves a cancellation from elsewhere alone [test_foreign_cancel_doesnt_timeout_if_not_expired]',
    program(async () => {
      const keep = kept();
      const cancelled = timeout(10_000, async (scope) => {
        keep.scope = scope;
        me().cancel();
        await sleep(10_000);
      });
      await expectCancelled(cancelled);
      expect(keep.scope.expired()).toBe(false);
    }),
  );

  test(
    'does not cancel the task around it [test_outer_task_is_not_cancelled]',
    program(async () => {
      const task = createTask(() => expectTimeout(timeout(1, () => sleep(10_000))));
      await task;
      expect([task.cancelled(), task.done()]).toEqual([false, true]);
    }),
  );

  test('reports the outer one when both passed while the loop was blocked [test_nested_timeouts_concurrent]', async () => {
    const clock = new VirtualClock();
    const body = async () => {
      const inner = kept();
      const slow = timeout(2, () =>
        timeout(100, async (scope) => {
          inner.scope = scope;
          clock.block(10);
          await sleep(1000);
        }),
      );
      await expectTimeout(slow);
      expect([inner.scope.expired(), now()]).toEqual([false, 10]);
    };
    await run(body, { clock });
  });

  test('interrupts the outer code after a late inner timeout [test_nested_timeouts_loop_busy]', async () => {
    const clock = new VirtualClock();
    const body = async () => {
      const slow = timeout(100, async () => {
        const busy = timeout(10, async () => {
          clock.block(100);
          await sleep(1000);
        });
        // Both deadlines have passed at once, so it is the cancellation of the outer one that arrives here.
        const error = await errorOf(busy);
        if (!(error instanceof TimeoutError)) throw error;
        await sleep(10_000);
      });
      await expectTimeout(slow);
      expect(now()).toBe(100);
    };
    await run(body, { clock });
  });

  test(
    'moves its deadline from outside and inside [test_reschedule]',
    program(async () => {
      const entered = new Future<TimeoutScope>();
      const task = createTask(() =>
        timeoutAt(10_000, async (scope) => {
          entered.setResult(scope);
          await sleep(50_000);
        }),
      );
      const scope = await entered;
      expect(scope.when()).toBe(10_000);
      scope.reschedule(30_000);
      expect(scope.when()).toBe(30_000);
      scope.reschedule(undefined);
      expect(scope.when()).toBeUndefined();
      task.cancel();
      await expectCancelled(task);
      expect(scope.expired()).toBe(false);
      const moved = timeout(10, async (inner) => {
        inner.reschedule(now() + 100);
        await sleep(1000);
      });
      await expectTimeout(moved);
      expect(now()).toBe(100);
    }),
  );

  test(
    'works in the cleanup of another one [test_nested_timeout_in_finally]',
    program(async () => {
      const causes: unknown[] = [];
      const slow = timeout(10, async () => {
        try {
          await sleep(1000);
        } finally {
          causes.push((await expectTimeout(timeout(10, () => sleep(10_000)))).cause);
        }
      });
      const { cause } = await expectTimeout(slow);
      expect([causes[0] instanceof CancelledError, cause instanceof CancelledError]).toEqual([true, true]);
      expect([causes[0] === cause, now(), me().cancelling()]).toEqual([false, 20, 0]);
    }),
  );

  test(
    'works after a cancellation that was caught [test_timeout_after_cancellation]',
    program(async () => {
      me().cancel();
      await expectCancelled(sleep(1000));
      await expectTimeout(timeout(0, () => sleep(1000)));
      expect(me().cancelling()).toBe(1);
    }),
  );

  test(
    'lets a further cancellation through after one was caught [test_cancel_in_timeout_after_cancellation]',
    program(async () => {
      me().cancel();
      await expectCancelled(sleep(1000));
      const again = timeout(1000, async () => {
        me().cancel();
        await sleep(2000);
      });
      await expectCancelled(again);
    }),
  );

  for (const [id, situation, wait] of [
    ['test_timeout_already_entered', 'while it is active', 0],
    ['test_timeout_double_enter', 'after it has ended', 1],
  ] as const) {
    test(
      `cannot be entered again ${situation} [${id}]`,
      program(async () => {
        const scope = new TimeoutScope(10);
        let refusal: unknown;
        await scope.run(async () => {
          if (wait === 0) refusal = await errorOf(scope.run(() => {}));
        });
        if (wait === 1) refusal = await errorOf(scope.run(() => {}));
        expect(refusal).toMatchObject({ message: 'the timeout has already been entered' });
      }),
    );
  }

  test(
    'cannot move its deadline before, while expiring, and after [test_timeout_not_entered, test_timeout_expiring, test_timeout_expired, test_timeout_finished]',
    program(async () => {
      const refusal = (scope: TimeoutScope) => (thrownBy(() => scope.reschedule(20)) as Error).message;
      expect(refusal(new TimeoutScope(10))).toContain('not been entered');
      const finished = new TimeoutScope(10);
      await finished.run(() => {});
      expect(refusal(finished)).toContain('finished');
      const expiring = new TimeoutScope(10);
      await expiring.run(async () => {
        await expectCancelled(sleep(1000));
        expect(refusal(expiring)).toContain('expiring');
      });
      const expired = new TimeoutScope(10);
      await expectTimeout(expired.run(() => sleep(1000)));
      expect(refusal(expired)).toContain('expired');
    }),
  );

  test('needs a task around it [test_timeout_without_task]', async () => {
    expect(await errorOf(new TimeoutScope(10).run(() => {}))).toBeInstanceOf(InvalidStateError);
  });

  test(
    'lets the failures of a task group through [test_timeout_taskgroup]',
    program(async () => {
      const failing = timeout(10, () =>
        taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(2000).finally(() => {
              throw new Crash();
            });
          });
          await sleep(1000);
        }),
      );
      const error = await errorOf(failing);
      expect(error).toBeInstanceOf(ExceptionGroup);
      expect((error as ExceptionGroup).errors).toEqual([expect.any(Crash)]);
      expect(me().cancelling()).toBe(0);
    }),
  );

  test('makes a task for its code outside of run, which a signal cancels', async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Crash()));
    expect(await errorOf(timeout(60_000, () => sleep(60_000), { signal: controller.signal }))).toBeInstanceOf(Crash);
    expect(await timeout(60_000, () => 'value')).toBe('value');
  });
});

describe('moveOnAfter', () => {
  test(
    'answers with the value, or that time was over',
    program(async () => {
      expect(await moveOnAfter(10, () => sleep(10_000))).toEqual({ timedOut: true });
      expect(await moveOnAfter(10, () => 'value')).toEqual({ timedOut: false, value: 'value' });
      expect(now()).toBe(10);
    }),
  );

  test(
    'throws the TimeoutError of another scope',
    program(async () => {
      await expectTimeout(moveOnAfter(1000, () => timeout(10, () => sleep(10_000))));
      await expectTimeout(timeout(10, () => moveOnAfter(1000, () => sleep(10_000))));
    }),
  );
});

describe('currentDeadline', () => {
  test(
    'is the earliest of the scopes around, also in a task created inside',
    program(async () => {
      expect(currentDeadline()).toBe(Number.POSITIVE_INFINITY);
      await timeout(100, async () => {
        await timeout(500, async (inner) => {
          expect(currentDeadline()).toBe(100);
          inner.reschedule(50);
          expect(currentDeadline()).toBe(50);
          expect(await createTask(async () => currentDeadline())).toBe(50);
        });
        expect(currentDeadline()).toBe(100);
      });
      expect(currentDeadline()).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});
