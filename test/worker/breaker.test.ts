import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker } from '../../src/worker/breaker.ts';

describe('Breaker', () => {
  it('judges the last 100 outcomes, and none before there are 50', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 400 }),
        fc.integer({ min: 1, max: 100 }),
        (outcomes, threshold) => {
          const breaker = new Breaker(threshold);
          for (const [n, failed] of outcomes.entries()) {
            breaker.count(failed);
            const last = outcomes.slice(Math.max(0, n - 99), n + 1);
            const percentage = (100 * last.filter(Boolean).length) / last.length;
            expect(breaker.percentage).toBeCloseTo(percentage, 9);
            expect(breaker.isTripped).toBe(n + 1 >= 50 && percentage >= threshold);
          }
        },
      ),
    );
  });
});
