import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';
import { program, turns } from './support.ts';

describe('Loop', () => {
  test(
    'calls back in order: what is ready before what is due, and what that makes ready in the next turn',
    program(async () => {
      const seen: string[] = [];
      const loop = currentLoop();
      loop.callAt(loop.time(), () => seen.push('due'));
      loop.callSoon(() => {
        seen.push('first');
        loop.callSoon(() => seen.push('next turn'));
      });
      loop.callSoon(() => seen.push('second'));
      await turns(3);
      expect(seen).toEqual(['first', 'second', 'due', 'next turn']);
    }),
  );

  test(
    'calls nobody back who took it back',
    program(async () => {
      const loop = currentLoop();
      const seen: string[] = [];
      loop.callSoon(() => seen.push('soon')).cancel();
      const timers = Array.from({ length: 300 }, (_, n) => loop.callLater(n, () => seen.push(`timer ${n}`)));
      for (const [n, timer] of timers.entries()) if (n !== 299) timer.cancel();
      await sleep(1000);
      expect(seen).toEqual(['timer 299']);
    }),
  );

  test('reports a callback that throws, and goes on [test_error_in_call_soon]', async () => {
    const reported: unknown[] = [];
    const body = async () => {
      currentLoop().callSoon(() => {
        throw new RangeError();
      });
      await turns(2);
      return 'went on';
    };
    const options = {
      clock: new VirtualClock(),
      onUnhandledError: ({ error }: { error: unknown }) => reported.push(error),
    };
    expect(await run(body, options)).toBe('went on');
    expect(reported).toEqual([expect.any(RangeError)]);
  });

  test('lets a task await a future of another program, on its own loop [test_other_loop_future]', async () => {
    const handedOver = Promise.withResolvers<{ readonly future: Future<string> }>();
    const first = run(async () => {
      const future = new Future<string>();
      handedOver.resolve({ future });
      await sleep(1);
      future.setResult('from the other program');
    });
    const second = run(async () => {
      const { future } = await handedOver.promise;
      return await createTask(async () => await future);
    });
    expect(await second).toBe('from the other program');
    await first;
  });
});
