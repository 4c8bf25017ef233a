import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';
import { errorOf, expectCancelled, now, program, turns } from './support.ts';

describe('sleep', () => {
  test(
    'takes the time asked for [test_sleep]',
    program(async () => {
      await sleep(50);
      await sleep(50);
      expect(now()).toBe(100);
    }),
  );

  test(
    'refuses NaN [test_sleep_when_delay_is_nan]',
    program(async () => {
      expect(await errorOf(sleep(Number.NaN))).toBeInstanceOf(RangeError);
    }),
  );

  test('leaves no timer behind when it is cancelled [test_sleep_cancel]', async () => {
    const clock = new VirtualClock();
    const body = async () => {
      const task = createTask(() => sleep(10_000));
      await turns(1);
      task.cancel();
      await expectCancelled(task);
      await sleep(1);
    };
    await run(body, { clock });
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.now()).toBe(1);
  });

  test(
    'of 0 gives each other task one turn [test_sleep_zero]',
    program(async () => {
      const seen: string[] = [];
      const twice = (name: string) => async () => {
        for (const round of [1, 2]) {
          seen.push(`${name}${round}`);
          await sleep(0);
        }
      };
      createTask(twice('a'));
      createTask(twice('b'));
      await turns(3);
      expect([seen, now()]).toEqual([['a1', 'b1', 'a2', 'b2'], 0]);
    }),
  );

  test(
    'of the same length ends in the order of the calls',
    program(async () => {
      const seen: number[] = [];
      for (let n = 0; n < 20; n += 1) createTask(() => sleep(10).then(() => seen.push(n)));
      await sleep(20);
      expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n));
    }),
  );

  test('works outside of run, where a signal ends it', async () => {
    await sleep(0);
    await sleep(1);
    expect(await errorOf(sleep(60_000, { signal: AbortSignal.abort(new RangeError()) }))).toBeInstanceOf(RangeError);
    const controller = new AbortController();
    setImmediate(() => controller.abort(new RangeError()));
    expect(await errorOf(sleep(60_000, { signal: controller.signal }))).toBeInstanceOf(RangeError);
  });
});
