import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNearStop } from '../../src/job/near-stop.ts';
import { type StopTotals, stopOf } from '../../src/job/stops.ts';

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

describe('isNearStop', () => {
  const settled = (succeeded: number, failed: number, nanoUsd = 0) => ({ totals: { succeeded, failed, nanoUsd } });
  it.each([
    ['many successes are left', { minSuccessful: 10_000 }, false],
    ['the successes of 5 s are left', { minSuccessful: 600 }, true],
    ['nothing stops it', {}, false],
    ['many failures are left', { toleratedFailureCount: 1_000 }, false],
    ['the failures of 5 s are left', { toleratedFailureCount: 60 }, true],
    ['a share of all items is left for long', { toleratedFailurePercentage: 50 }, false],
    ['a share of all items is nearly there', { toleratedFailurePercentage: 6 }, true],
    ['its budget lasts', { budgetUsd: 100 }, false],
    ['its budget is nearly used up', { budgetUsd: 3 }, true],
  ] as const)('where %s', (_, limits, isNear) => {
    const now = { ...settled(200, 20, 1e9), items: 1_000, at: 2_000 };
    expect(isNearStop(limits, { ...settled(0, 0), at: 0 }, now)).toBe(isNear);
    expect(isNearStop(limits, undefined, now)).toBe(false);
  });
});
