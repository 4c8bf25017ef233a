import { describe, expect, it } from 'vitest';
import { secondsTowardsTheEnd } from '../../src/job/next-turn.ts';

const last = { at: 1_000, settledChunks: 10 };

describe('the next turn towards the end of a job', () => {
  it('comes after half of the time that is left at the pace since the last one', () => {
    expect(secondsTowardsTheEnd(last, { at: 11_000, settledChunks: 20 }, 40)).toBe(10);
    expect(secondsTowardsTheEnd(last, { at: 11_000, settledChunks: 35 }, 40)).toBe(1);
  });

  it('is left to others where nothing has settled since, nothing is left, or no turn was before', () => {
    expect(secondsTowardsTheEnd(last, { at: 11_000, settledChunks: 10 }, 40)).toBe(Number.POSITIVE_INFINITY);
    expect(secondsTowardsTheEnd(last, { at: 11_000, settledChunks: 40 }, 40)).toBe(Number.POSITIVE_INFINITY);
    expect(secondsTowardsTheEnd(undefined, { at: 11_000, settledChunks: 10 }, 40)).toBe(Number.POSITIVE_INFINITY);
  });
});
