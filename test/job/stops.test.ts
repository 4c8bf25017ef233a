import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allotmentOf, leftOf, type StopTotals, stopOf } from '../../src/job/stops.ts';

const totals = (given: Partial<StopTotals> = {}): StopTotals => ({
  items: 1_000,
  succeeded: 0,
  failed: 0,
  usd: 0,
  ...given,
});

describe('stopOf', () => {
  it.each([
    ['as many failures as are tolerated', { toleratedFailureCount: 5 }, { failed: 5 }, undefined],
    ['one failure more', { toleratedFailureCount: 5 }, { failed: 6 }, { kind: 'end', reason: 'tolerated' }],
    [
      'a failure where none is tolerated',
      { toleratedFailureCount: 0 },
      { failed: 1 },
      { kind: 'end', reason: 'tolerated' },
    ],
    ['5 % of all items failing', { toleratedFailurePercentage: 5 }, { failed: 50 }, undefined],
    ['more than 5 %', { toleratedFailurePercentage: 5 }, { failed: 51 }, { kind: 'end', reason: 'tolerated' }],
    [
      'a percentage of an input that is still counted',
      { toleratedFailurePercentage: 0 },
      { failed: 9, items: undefined },
      undefined,
    ],
    ['enough successes', { minSuccessful: 10 }, { succeeded: 10 }, { kind: 'end', reason: 'succeeded' }],
    ['a success too few', { minSuccessful: 10 }, { succeeded: 9 }, undefined],
    ['a budget that is used up', { budgetUsd: 5 }, { usd: 5 }, { kind: 'pause', reason: 'budget' }],
    ['a canary that runs', { canary: 10 }, { canary: { settled: 9, failed: 9 } }, undefined],
    ['a canary that is well', { canary: 10 }, { canary: { settled: 10, failed: 4 } }, { kind: 'pass' }],
    [
      'a canary that is ill',
      { canary: 10 },
      { canary: { settled: 10, failed: 5 } },
      { kind: 'pause', reason: 'canary' },
    ],
    [
      'an ill one by the job’s own breaker',
      { canary: 10, breaker: 20 },
      { canary: { settled: 10, failed: 2 } },
      { kind: 'pause', reason: 'canary' },
    ],
    [
      'a canary that somebody wants to see',
      { canary: 10, canaryWait: true },
      { canary: { settled: 10, failed: 0 } },
      { kind: 'pause', reason: 'canary' },
    ],
    [
      'a job smaller than its canary',
      { canary: 10, canaryWait: true },
      { items: 10, canary: { settled: 10, failed: 9 } },
      undefined,
    ],
    ['a canary that has passed', { canary: 10 }, { failed: 900 }, undefined],
    [
      'failures before success',
      { toleratedFailureCount: 1, minSuccessful: 1 },
      { failed: 2, succeeded: 1 },
      { kind: 'end', reason: 'tolerated' },
    ],
    [
      'an end before a pause',
      { minSuccessful: 1, budgetUsd: 1 },
      { succeeded: 1, usd: 9 },
      { kind: 'end', reason: 'succeeded' },
    ],
  ] as const)('judges %s', (_, limits, given, stop) => {
    const { items, ...rest } = totals(given as Partial<StopTotals>);
    expect(stopOf(limits, items === undefined ? rest : { items, ...rest })).toEqual(stop);
  });

  it('stops exactly when what is left of a total is used up', () => {
    const count = fc.nat(1_000);
    fc.assert(
      fc.property(count, count, fc.nat(2_000), fc.nat(2_000), (tolerated, wanted, failed, succeeded) => {
        const limits = { toleratedFailureCount: tolerated, minSuccessful: wanted + 1 };
        const seen = totals({ failed, succeeded });
        const left = leftOf(limits, seen);
        expect(stopOf(limits, seen) !== undefined).toBe(left.failed === 0 || left.succeeded === 0);
      }),
    );
  });

  it('never takes a stop back when more items have settled', () => {
    const step = fc.record({ succeeded: fc.nat(50), failed: fc.nat(50), usd: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat(100), fc.nat(100), (steps, a, b) => {
        const limits = { toleratedFailureCount: a, minSuccessful: b + 1, budgetUsd: 20 };
        let seen = totals();
        let stopped = false;
        for (const { succeeded, failed, usd } of steps) {
          seen = { ...seen, succeeded: seen.succeeded + succeeded, failed: seen.failed + failed, usd: seen.usd + usd };
          const stops = stopOf(limits, seen) !== undefined;
          if (stopped) expect(stops).toBe(true);
          stopped = stops;
        }
      }),
    );
  });
});

it('gives each seat its part of what is left, and all of it', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000 }), (left, seats) => {
      const parts = Array.from({ length: seats }, (_, seat) => allotmentOf(left, seat, seats));
      expect(parts.reduce((a, b) => a + b, 0)).toBe(left);
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
    }),
  );
});
