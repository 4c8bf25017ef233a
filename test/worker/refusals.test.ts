import { describe, expect, it } from 'vitest';
import { Refusals } from '../../src/worker/refusals.ts';

/** A second of 500 calls, of which each 100th is refused, until an instant. */
function secondUntil(now: number): Refusals {
  const refusals = new Refusals();
  for (let n = 1; n <= 500; n++) {
    const at = now - 1_000 + 2 * n;
    refusals.started(at, true);
    refusals.answered(at, n % 100 === 0 ? 1 : 0, { isSettled: true, isSlow: false });
  }
  return refusals;
}

describe('Refusals', () => {
  it.each([
    { time: 'the first half of a round, in which no worker tries more', now: 16_000 + 6_000, isTooMany: true },
    { time: 'its second half', now: 16_000 + 14_000, isTooMany: false },
  ])('are too many in $time: $isTooMany, where one in a hundred is refused', ({ now, isTooMany }) => {
    const refusals = secondUntil(now);
    expect(refusals.isTooManyInQuiet(now)).toBe(isTooMany);
    expect(refusals.tooMany(now, refusals.second(now), true)).toBeUndefined();
  });
});
