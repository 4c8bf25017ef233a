import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { backoffMs } from '../../src/worker/backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((value) => () => value);
const attempt = fc.integer({ min: 1, max: limits.maxAttempts });

describe('backoffMs', () => {
  it('waits up to twice as long after each attempt, and never longer than the cap', () => {
    fc.assert(
      fc.property(attempt, random, (n, draw) => {
        const wait = backoffMs(n, undefined, draw);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** (n - 1)));
      }),
    );
  });

  it('never comes back before the downstream’s own wish, and at most a quarter later', () => {
    fc.assert(
      fc.property(attempt, fc.integer({ min: 0, max: limits.maxRetryAfterMs }), random, (n, wish, draw) => {
        const wait = backoffMs(n, wish, draw);
        expect(wait).toBeGreaterThanOrEqual(wish);
        expect(wait).toBeLessThanOrEqual(Math.ceil(wish * 1.25));
      }),
    );
  });
});
