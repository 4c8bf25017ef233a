import { describe, expect, it } from 'vitest';
import { brokenIn, runsOf } from './limit-runs.ts';

const seeds = Array.from(
  { length: Number(process.env['LIMIT_SEEDS'] ?? 20) },
  (_, n) => n + Number(process.env['LIMIT_FROM'] ?? 1),
);

describe('limits under chaos', () => {
  it.each(seeds)('are kept, and every item has one row, seed %i', async (seed) => {
    expect({ seed, found: await brokenIn(runsOf.chaos(seed)) }).toEqual({ seed, found: [] });
  });
});

describe('limits under what they fear most', () => {
  const some = seeds.slice(0, Math.ceil(seeds.length / 20));
  it.each(
    some.flatMap((seed) =>
      (
        ['moves', 'stale', 'rivals', 'distance', 'dying', 'long', 'grows', 'lostBells', 'claims', 'parting'] as const
      ).map((kind) => [kind, seed] as const),
    ),
  )('are kept in runs of %s, seed %i', async (kind, seed) => {
    expect({ seed, found: await brokenIn(runsOf[kind](seed)) }).toEqual({ seed, found: [] });
  });
});
