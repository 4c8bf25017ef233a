import { expect, it } from 'vitest';
import type { Queue } from '../../src/ports.ts';
import { Holds } from '../../src/worker/holds.ts';
import { TestClock } from '../support/test-clock.ts';

it.each([-7_200_000, 0, 7_200_000])(
  'renews a hold before its lease is over when the clock is set by %i ms',
  async (by) => {
    const world = new TestClock();
    let skew = 0;
    const clock = { now: () => world.now() + skew, after: world.after.bind(world) };
    const renewedAt: number[] = [];
    // Only renewals are asked for.
    const queue = {
      changeVisibility: async () => {
        renewedAt.push(world.now());
      },
    } as unknown as Queue;
    const holds = new Holds({ queue, clock, log: () => undefined, leaseSeconds: 30 });
    const from = world.now();
    holds.take({ messageId: 'm', receiptHandle: 'r', receiveCount: 1 }, true);
    await world.advance(5_000);
    skew = by;
    await world.advance(95_000);
    await holds.stop();
    const gaps = [from, ...renewedAt, from + 100_000].map((at, n, all) => at - (all[n - 1] ?? at));
    expect(Math.max(...gaps)).toBeLessThan(20_000);
  },
);
