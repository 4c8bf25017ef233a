import { describe, expect, test } from 'vitest';
import { Condition } from '../../src/aio/condition.ts';
import { createTask } from '../../src/aio/create-task.ts';
import { Lock } from '../../src/aio/lock.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { type CancelledError, InvalidStateError, TimeoutError } from '../../src/aio/loop/errors.ts';
import { moveOnAfter } from '../../src/aio/move-on-after.ts';
import { waitFor } from '../../src/aio/wait-for.ts';
import { errorOf, expectCancelled, program, thrownBy, turns } from './support.ts';

/** Tasks that wait on a condition, keep its lock or give it back, and note their number. */
function waiters(condition: Condition, result: number[], release: boolean) {
  return [1, 2, 3].map((number) =>
    createTask(async () => {
      await condition.acquire();
      await condition.wait();
      result.push(number);
      if (release) condition.release();
    }),
  );
}

describe('Condition', () => {
  test(
    'wakes as many as are notified, one after the other as the lock is free [test_wait]',
    program(async () => {
      const condition = new Condition();
      const result: number[] = [];
      const tasks = waiters(condition, result, false);
      await turns(1);
      expect([result, condition.locked()]).toEqual([[], false]);
      await condition.acquire();
      condition.notify();
      await turns(1);
      expect([result, condition.locked()]).toEqual([[], true]);
      condition.release();
      await turns(1);
      expect([result, condition.locked()]).toEqual([[1], true]);
      condition.notify(2);
      await turns(1);
      expect([result, condition.locked()]).toEqual([[1], true]);
      condition.release();
      await turns(1);
      expect([result, condition.locked()]).toEqual([[1, 2], true]);
      condition.release();
      await turns(1);
      expect([result, condition.locked()]).toEqual([[1, 2, 3], true]);
      expect(tasks.map((task) => task.done())).toEqual([true, true, true]);
    }),
  );

  test(
    'retakes its lock when a wait is cancelled [test_wait_cancel]',
    program(async () => {
      const condition = new Condition();
      await condition.acquire();
      const task = createTask(() => condition.wait());
      currentLoop().callSoon(() => task.cancel());
      await expectCancelled(task);
      expect([condition.waiting, condition.locked()]).toEqual([0, true]);
    }),
  );

  test(
    'has its lock again when a notified wait is cancelled while others hold it [test_wait_cancel_contested]',
    program(async () => {
      const condition = new Condition();
      await condition.acquire();
      const task = createTask(() => condition.wait());
      await turns(1);
      expect(condition.locked()).toBe(false);
      await condition.acquire();
      condition.notify();
      currentLoop().callSoon(() => task.cancel());
      currentLoop().callSoon(() => condition.release());
      await task.then(undefined, () => {});
      expect(condition.locked()).toBe(true);
    }),
  );

  test(
    'delivers a cancellation that came while a notified wait retook the lock [test_wait_cancel_after_notify]',
    program(async () => {
      const condition = new Condition();
      let waited = false;
      const task = createTask(async () => {
        using _held = await condition.hold();
        waited = true;
        await condition.wait();
      });
      await turns(1);
      await condition.acquire();
      condition.notify();
      await turns(1);
      task.cancel();
      await turns(1);
      condition.release();
      await turns(1);
      expect([task.cancelled(), waited]).toEqual([true, true]);
    }),
  );

  test(
    'cannot be waited for or notified without its lock [test_wait_unacquired, test_notify_unacquired, test_notify_all_unacquired]',
    program(async () => {
      const condition = new Condition();
      expect(await errorOf(condition.wait())).toBeInstanceOf(InvalidStateError);
      expect(thrownBy(() => condition.notify())).toBeInstanceOf(InvalidStateError);
      expect(thrownBy(() => condition.notifyAll())).toBeInstanceOf(InvalidStateError);
    }),
  );

  test(
    'waits until a predicate is true [test_wait_for]',
    program(async () => {
      const condition = new Condition();
      let ready = false;
      const result: number[] = [];
      const task = createTask(async () => {
        await condition.acquire();
        await condition.waitFor(() => ready);
        result.push(1);
        condition.release();
      });
      const notify = async () => {
        await condition.acquire();
        condition.notify();
        condition.release();
        await turns(1);
      };
      await turns(1);
      await notify();
      expect(result).toEqual([]);
      ready = true;
      await notify();
      expect([result, task.done()]).toEqual([[1], true]);
    }),
  );

  test(
    'returns the value of a predicate that is true at once, and needs the lock otherwise [test_wait_for_unacquired]',
    program(async () => {
      const condition = new Condition();
      expect(await condition.waitFor(() => [1, 2, 3])).toEqual([1, 2, 3]);
      expect(await errorOf(condition.waitFor(() => false))).toBeInstanceOf(InvalidStateError);
    }),
  );

  test(
    'takes more notifications than there are waiters [test_notify]',
    program(async () => {
      const condition = new Condition();
      const result: number[] = [];
      const tasks = waiters(condition, result, true);
      await turns(1);
      for (const [counts, expected] of [
        [[1], [1]],
        [
          [1, 2048],
          [1, 2, 3],
        ],
      ] as const) {
        await condition.acquire();
        for (const count of counts) condition.notify(count);
        condition.release();
        await turns(1);
        expect(result).toEqual(expected);
      }
      expect(tasks.map((task) => task.done())).toEqual([true, true, true]);
    }),
  );

  test(
    'wakes all at once [test_notify_all]',
    program(async () => {
      const condition = new Condition();
      const result: number[] = [];
      waiters(condition, result, true);
      await turns(1);
      await condition.acquire();
      condition.notifyAll();
      condition.release();
      await turns(1);
      expect(result).toEqual([1, 2, 3]);
    }),
  );

  test(
    'is held for a scope [test_context_manager]',
    program(async () => {
      const condition = new Condition();
      {
        using _held = await condition.hold();
        expect(condition.locked()).toBe(true);
      }
      expect(condition.locked()).toBe(false);
    }),
  );

  test(
    'shares a lock it is given [test_explicit_lock]',
    program(async () => {
      const lock = new Lock();
      const condition = new Condition(lock);
      for (const each of [lock, condition]) {
        using _held = await each.hold();
        expect([lock.locked(), condition.locked()]).toEqual([true, true]);
      }
      expect([lock.locked(), condition.locked()]).toEqual([false, false]);
    }),
  );

  test(
    'has its lock again after a wait that timed out [test_timeout_in_block]',
    program(async () => {
      const condition = new Condition();
      using _held = await condition.hold();
      expect(await errorOf(waitFor(() => condition.wait(), 500))).toBeInstanceOf(TimeoutError);
      expect(condition.locked()).toBe(true);
    }),
  );

  for (const [id, situation, contested] of [
    ['test_cancelled_error_wakeup', 'the notification', false],
    ['test_cancelled_error_re_aquire', 'its lock', true],
  ] as const) {
    test(
      `throws the very error a cancellation raised while it waited for ${situation} [${id}]`,
      program(async () => {
        const condition = new Condition();
        let wake = false;
        let raised: CancelledError | undefined;
        const task = createTask(async () => {
          using _held = await condition.hold();
          raised = await expectCancelled(condition.waitFor(() => wake));
          throw raised;
        });
        await turns(1);
        if (contested) {
          await condition.acquire();
          wake = true;
          condition.notify();
          await turns(1);
        }
        task.cancel('foo');
        if (contested) condition.release();
        const error = await expectCancelled(task);
        expect([error.reason, error === raised]).toEqual(['foo', true]);
      }),
    );
  }

  for (const [id, situation, pause] of [
    ['test_cancelled_wakeup', 'just after it was notified', 0],
    ['test_cancelled_wakeup_relock', 'while it retakes the lock', 1],
  ] as const) {
    test(
      `passes the notification of one who is cancelled ${situation} on [${id}]`,
      program(async () => {
        const condition = new Condition();
        let state = 0;
        const consumer = async () => {
          using _held = await condition.hold();
          for (;;) {
            await condition.waitFor(() => state !== 0);
            if (state < 0) return;
            state -= 1;
          }
        };
        const consumers = [createTask(consumer), createTask(consumer)];
        await turns(1);
        {
          using _held = await condition.hold();
          state += 1;
          condition.notify(1);
          await turns(pause);
          consumers[0]?.cancel();
          await moveOnAfter(10, () => condition.waitFor(() => state === 0));
          expect(state).toBe(0);
          state = -1;
          condition.notifyAll();
        }
        await consumers[1];
      }),
    );
  }
});
