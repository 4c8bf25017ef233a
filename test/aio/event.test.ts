import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { Event } from '../../src/aio/event.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { errorOf, expectCancelled, program, turns } from './support.ts';

describe('Event', () => {
  test(
    'wakes those who wait in their order, after those it never stopped [test_wait]',
    program(async () => {
      const event = new Event();
      const result: number[] = [];
      const waiting = (number: number) => async () => {
        await event.wait();
        result.push(number);
      };
      const tasks = [createTask(waiting(1)), createTask(waiting(2))];
      await turns(1);
      expect(result).toEqual([]);
      tasks.push(createTask(waiting(3)));
      event.set();
      await turns(1);
      expect(result).toEqual([3, 1, 2]);
      expect(tasks.map((task) => task.done())).toEqual([true, true, true]);
    }),
  );

  test(
    'that is set is not waited for [test_wait_on_set]',
    program(async () => {
      const event = new Event();
      event.set();
      await event.wait();
      expect(event.isSet()).toBe(true);
    }),
  );

  test(
    'forgets one whose wait is cancelled [test_wait_cancel]',
    program(async () => {
      const event = new Event();
      const task = createTask(() => event.wait());
      currentLoop().callSoon(() => task.cancel());
      await expectCancelled(task);
      expect(event.waiting).toBe(0);
    }),
  );

  test('can be set and cleared [test_clear]', () => {
    const event = new Event();
    const seen = [event.isSet()];
    event.set();
    seen.push(event.isSet());
    event.clear();
    seen.push(event.isSet());
    expect(seen).toEqual([false, true, false]);
  });

  test(
    'wakes those who wait although it is cleared at once [test_clear_with_waiters]',
    program(async () => {
      const event = new Event();
      const result: number[] = [];
      const task = createTask(async () => {
        await event.wait();
        result.push(1);
      });
      await turns(1);
      event.set();
      event.clear();
      expect(event.isSet()).toBe(false);
      event.set();
      event.set();
      expect(event.waiting).toBe(1);
      await turns(1);
      expect([result, event.waiting, task.done()]).toEqual([[1], 0, true]);
    }),
  );

  test('works outside of run, where a signal ends the wait', async () => {
    const event = new Event();
    const controller = new AbortController();
    const cancelled = event.wait({ signal: controller.signal });
    const woken = event.wait();
    controller.abort(new RangeError());
    expect(await errorOf(cancelled)).toBeInstanceOf(RangeError);
    event.set();
    await woken;
    expect(event.waiting).toBe(0);
  });
});
