import { describe, expect, test } from 'vitest';
import { run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';

describe('VirtualClock', () => {
  test('jumps to the next timer while nothing can run', async () => {
    const clock = new VirtualClock({ startMs: 1000 });
    await run(() => sleep(86_400_000), { clock });
    expect(clock.now()).toBe(86_401_000);
  });

  test('moves by hand when it is manual', async () => {
    const clock = new VirtualClock({ manual: true });
    const seen: number[] = [];
    const running = run(
      async () => {
        for (let n = 0; n < 3; n += 1) {
          await sleep(10);
          seen.push(clock.now());
        }
      },
      { clock },
    );
    await clock.advance(25);
    expect([seen, clock.now()]).toEqual([[10, 20], 25]);
    await clock.advance(5);
    await running;
    expect(seen).toEqual([10, 20, 30]);
  });

  test('calls nobody back who took it back', async () => {
    const clock = new VirtualClock({ manual: true });
    let called = 0;
    const cancel = clock.schedule(5, () => {
      called += 1;
    });
    clock.schedule(5, () => {
      called += 10;
    });
    cancel();
    await clock.advance(10);
    expect(called).toBe(10);
  });
});
