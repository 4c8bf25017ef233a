import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { Lock } from '../../src/aio/lock.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { InvalidStateError } from '../../src/aio/loop/errors.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { errorOf, expectCancelled, me, program, thrownBy, turns } from './support.ts';

describe('Lock', () => {
  test(
    'is held from acquire to release [test_lock]',
    program(async () => {
      const lock = new Lock();
      await lock.acquire();
      expect(lock.locked()).toBe(true);
      lock.release();
      expect(lock.locked()).toBe(false);
    }),
  );

  test(
    'is held for a scope [test_lock_by_with_statement, test_context_manager]',
    program(async () => {
      const lock = new Lock();
      {
        using _held = await lock.hold();
        expect(lock.locked()).toBe(true);
      }
      expect(lock.locked()).toBe(false);
    }),
  );

  test(
    'lets those who wait in one by one, in their order [test_acquire]',
    program(async () => {
      const lock = new Lock();
      const result: number[] = [];
      const taking = (number: number) => async () => {
        await lock.acquire();
        result.push(number);
      };
      await lock.acquire();
      const tasks = [createTask(taking(1)), createTask(taking(2))];
      await turns(1);
      expect(result).toEqual([]);
      lock.release();
      await turns(1);
      expect(result).toEqual([1]);
      await turns(1);
      expect(result).toEqual([1]);
      tasks.push(createTask(taking(3)));
      lock.release();
      await turns(1);
      expect(result).toEqual([1, 2]);
      lock.release();
      await turns(1);
      expect(result).toEqual([1, 2, 3]);
      expect(tasks.map((task) => task.done())).toEqual([true, true, true]);
    }),
  );

  test(
    'forgets one whose wait is cancelled [test_acquire_cancel]',
    program(async () => {
      const lock = new Lock();
      await lock.acquire();
      const task = createTask(() => lock.acquire());
      currentLoop().callSoon(() => task.cancel());
      await expectCancelled(task);
      expect(lock.waiting).toBe(0);
    }),
  );

  test(
    'passes over one who is being cancelled when it is released [test_cancel_race]',
    program(async () => {
      const lock = new Lock();
      const blocker = new Future<void>();
      const holding = (until?: Future<void>) => async () => {
        using _held = await lock.hold();
        if (until !== undefined) await until;
      };
      const first = createTask(holding(blocker));
      await turns(1);
      const second = createTask(holding());
      await turns(1);
      const third = createTask(holding());
      await turns(1);
      expect(lock.waiting).toBe(2);
      blocker.setResult();
      second.cancel();
      await turns(1);
      expect([lock.locked(), first.done(), second.cancelled()]).toEqual([false, true, true]);
      await third;
    }),
  );

  test(
    'is taken once when a waiter is cancelled and it is released at once [test_cancel_release_race]',
    program(async () => {
      const lock = new Lock();
      let [taken, called] = [0, 0];
      const taking = async () => {
        called += 1;
        await lock.acquire();
        taken += 1;
      };
      await lock.acquire();
      const [first, second, third] = [createTask(taking), createTask(taking), createTask(taking)];
      await turns(1);
      currentLoop().callSoon(() => {
        first.cancel();
        lock.release();
      });
      await expectCancelled(first);
      expect([taken, called, first.cancelled(), second.done()]).toEqual([1, 3, true, true]);
      third.cancel();
      await turns(1);
      expect(third.cancelled()).toBe(true);
    }),
  );

  test(
    'passes the turn of one who is cancelled just after it was woken on [test_finished_waiter_cancelled]',
    program(async () => {
      const lock = new Lock();
      await lock.acquire();
      const first = createTask(() => lock.acquire());
      await turns(1);
      const second = createTask(() => lock.acquire());
      first.cancel();
      lock.release();
      await turns(1);
      expect([lock.locked(), first.cancelled()]).toEqual([true, true]);
      await second;
    }),
  );

  test('refuses to be released by nobody [test_release_not_acquired]', () => {
    expect(thrownBy(() => new Lock().release())).toBeInstanceOf(InvalidStateError);
  });

  test(
    'is free after a release nobody waited for [test_release_no_waiters]',
    program(async () => {
      const lock = new Lock();
      await lock.acquire();
      lock.release();
      expect(lock.locked()).toBe(false);
    }),
  );

  test(
    'that is free is taken although a cancellation is to come',
    program(async () => {
      const lock = new Lock();
      me().cancel();
      await lock.acquire();
      expect(lock.locked()).toBe(true);
      await expectCancelled(sleep(0));
    }),
  );

  test('works outside of run, where a signal ends the wait', async () => {
    const lock = new Lock();
    await lock.acquire();
    const controller = new AbortController();
    const cancelled = lock.acquire({ signal: controller.signal });
    const next = lock.acquire();
    controller.abort(new RangeError('enough'));
    expect(await errorOf(cancelled)).toBeInstanceOf(RangeError);
    lock.release();
    await next;
    expect([lock.locked(), lock.waiting]).toEqual([true, 0]);
    expect(await errorOf(lock.acquire({ signal: AbortSignal.abort(new RangeError()) }))).toBeInstanceOf(RangeError);
    expect(lock.waiting).toBe(0);
  });
});
