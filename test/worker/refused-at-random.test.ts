import { describe, expect, it } from 'vitest';
import { runBrakedWorkers, takes } from './braked-workers.ts';

describe('brakes where an API refuses some calls at random', () => {
  it.each([
    { workers: 1, perSecond: 300, part: 0.03 },
    { workers: 1, perSecond: 300, part: 0.1 },
    { workers: 1, perSecond: 2_000, part: 0.15 },
    { workers: 5, perSecond: 300, part: 0.05 },
    { workers: 5, perSecond: 2_000, part: 0.03 },
    { workers: 5, perSecond: 2_000, part: 0.1 },
  ])('keep $perSecond/s of $workers where $part are refused whatever the pace is', ({ workers, perSecond, part }) => {
    const seen = runBrakedWorkers({
      workers,
      perSecond,
      forMs: 60_000,
      seed: 1,
      refuses: (_, random) => random() < part,
    });
    expect(seen(0, 30_000).calls / (30 * perSecond)).toBeGreaterThan(0.7);
    expect(seen(30_000, 60_000).calls / (30 * perSecond)).toBeGreaterThan(0.8);
  });

  it.each([1, 5])('find what is taken of %i beside it', (workers) => {
    const take = takes(800);
    const seen = runBrakedWorkers({
      workers,
      perSecond: 2_000,
      forMs: 120_000,
      seed: 1,
      refuses: (now, random) => random() < 0.05 || !take(now),
    });
    const { calls, refused } = seen(60_000, 120_000);
    expect((calls - refused) / (60 * 800)).toBeGreaterThan(0.7);
    expect(refused / calls).toBeLessThan(0.05 + 0.02);
  });

  it.each([1, 5])('obey a limit that comes in its place, of %i', (workers) => {
    const take = takes(800);
    const seen = runBrakedWorkers({
      workers,
      perSecond: 2_000,
      forMs: 100_000,
      seed: 1,
      refuses: (now, random) => (now < 30_000 ? random() < 0.1 : !take(now)),
    });
    expect(seen(15_000, 30_000).calls / (15 * 2_000)).toBeGreaterThan(0.85);
    const { calls, refused } = seen(40_000, 100_000);
    expect((calls - refused) / (60 * 800)).toBeGreaterThan(0.9);
    expect(refused / calls).toBeLessThan(0.04);
  });

  it.each([1, 5])('forget it when nothing is refused, so that a limit just below the pace is kept of %i', (workers) => {
    const take = takes(1_850);
    const seen = runBrakedWorkers({
      workers,
      perSecond: 2_000,
      forMs: 80_000,
      seed: 1,
      refuses: (now, random) => (now < 30_000 ? random() < 0.1 : now > 40_000 && !take(now)),
    });
    const { calls, refused } = seen(40_000, 80_000);
    expect((calls - refused) / (40 * 1_850)).toBeGreaterThan(0.85);
    expect(refused / calls).toBeLessThan(0.02);
  });
});
