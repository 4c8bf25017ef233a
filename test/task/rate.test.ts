import { describe, expect, it } from 'vitest';
import { limitsSchema, parseLimits } from '../../src/task/job-limits.ts';
import { rateOf, rateText } from '../../src/task/rate.ts';

describe('rateOf', () => {
  it.each([
    ['50/s', 50, 1_000],
    ['3000/min', 3_000, 60_000],
    ['0.1/s', 0.1, 1_000],
    [' 5000 / h ', 5_000, 3_600_000],
    ['10/second', 10, 1_000],
    ['1/day', 1, 86_400_000],
  ])('reads %j', (text, limit, perMs) => {
    expect(rateOf(text)).toEqual({ limit, perMs });
  });

  it.each(['', '50', '/s', '50/x', '-1/s', '0/s', '1e3/s', '50/s/s', '100001/s', '0.1/day', 'NaN/s'])(
    'takes %j for none',
    (text) => {
      expect(rateOf(text)).toBeUndefined();
    },
  );

  it('is written as it is read', () => {
    for (const text of ['50/s', '3000/min', '0.1/s', '5/h', '1/d'])
      expect(rateText(rateOf(text) ?? { limit: 0, perMs: 0 })).toBe(text);
  });
});

describe('limits', () => {
  it('may be given as people write them', () => {
    expect(parseLimits({ rate: '50/s', units: { limit: 90_000, perMs: 60_000 }, maxConcurrency: 20 })).toEqual({
      rate: { limit: 50, perMs: 1_000 },
      units: { limit: 90_000, perMs: 60_000 },
      maxConcurrency: 20,
    });
  });

  it.each([
    [{ rate: 'fast' }, 'limits.rate'],
    [{ maxConcurrency: 0 }, 'limits.maxConcurrency'],
    [{ maxConcurrency: 1.5 }, 'limits.maxConcurrency'],
    [{ breaker: 101 }, 'limits.breaker'],
    [{ priority: 6 }, 'limits.priority'],
    [{ budgetUsd: 0 }, 'limits.budgetUsd'],
    [{ rate: { limit: 1, perMs: 0 } }, 'limits.rate'],
  ])('refuses %j by its name', (given, name) => {
    expect(() => parseLimits(given)).toThrow(name);
  });

  it('refuses what it does not know', () => {
    expect(limitsSchema().safeParse({ rates: '1/s' }).success).toBe(false);
  });
});
