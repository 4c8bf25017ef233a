import { describe, expect, it } from 'vitest';
import { TakenPace } from '../../src/worker/taken-pace.ts';

/** For how many whole seconds after a cut nothing beyond the pace is tried. */
function triedAfter(taken: TakenPace): number {
  for (let now = 0; ; now += 1_000)
    if (taken.grown(taken.perSecond, { from: 0, now, cutAt: 0, cutTo: 0.92 }) > taken.perSecond) return now / 1_000 - 1;
}

describe('TakenPace', () => {
  it('tries more after twice the time each time that the same pace is refused, and as at first when another one is', () => {
    const taken = new TakenPace();
    // Long after one another: nobody waits for the others to try more.
    const times = [100, 105, 98, 101, 99, 50].map((succeeded) => {
      taken.learn(succeeded, 60_000);
      return triedAfter(taken);
    });
    expect(times).toEqual([2, 4, 8, 16, 16, 2]);
  });

  it('is soon where it had been cut to, and slowly beyond', () => {
    const taken = new TakenPace();
    taken.learn(100, 60_000);
    const grown = (pace: number, seconds: number): number =>
      taken.grown(pace, { from: 0, now: 1_000 * seconds, cutAt: 0, cutTo: 0.92 });
    expect(grown(10, 6)).toBeCloseTo(92, 0);
    expect(grown(92, 3)).toBeCloseTo(92 * 1.03 + 0.1, 1);
    expect(grown(120, 3)).toBeCloseTo(120 * 1.1 + 0.1, 1);
  });

  it('tries more only in the second half of a round, and half as fast, where it was cut twice within 24 s', () => {
    const grownFrom = (sinceCutMs: number, from: number): number => {
      const taken = new TakenPace();
      taken.learn(100, sinceCutMs);
      return taken.grown(100, { from, now: from + 1_000, cutAt: from - 6_000, cutTo: 0.92 });
    };
    const [firstHalf, secondHalf] = [16_000 + 4_000, 16_000 + 12_000];
    expect(grownFrom(60_000, firstHalf)).toBeCloseTo(103.1, 1);
    expect(grownFrom(10_000, firstHalf)).toBe(100);
    expect(grownFrom(10_000, secondHalf)).toBeCloseTo(101.6, 1);
  });
});
