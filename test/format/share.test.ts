import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LimitTable, type Share, seatsFor, shareIn, shareOf } from '../../src/format/share.ts';
import { limits } from '../../src/limits.ts';

const table = (maxConcurrency: number | undefined, perSecond: number | undefined, seats: number): LimitTable => ({
  limits: {
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(perSecond === undefined ? {} : { rate: { limit: perSecond, perMs: 1_000 } }),
  },
  seats,
});

const tables = fc
  .tuple(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 12 }))
  .map((given) => table(...given));

const sum = (of: LimitTable, pick: (share: Share) => number): number =>
  Array.from({ length: of.seats }, (_, i) => pick(shareIn(of, i))).reduce((a, b) => a + b, 0);

describe('shareIn', () => {
  it('gives all seats together exactly the limit, in whole calls', () => {
    fc.assert(
      fc.property(tables, (given) => {
        const { maxConcurrency = 0, rate } = given.limits;
        const carried = Array.from({ length: given.seats }, (_, i) => shareIn(given, i).calls);
        // No seat carries more than a worker can hold.
        if (carried.every((calls) => calls < limits.maxConcurrency))
          expect(sum(given, ({ calls }) => calls)).toBe(maxConcurrency);
        else expect(sum(given, ({ calls }) => calls)).toBeLessThanOrEqual(maxConcurrency);
        expect(carried.every(Number.isInteger)).toBe(true);
        expect(sum(given, ({ perSecond }) => perSecond)).toBeCloseTo(rate?.limit ?? 0, 6);
      }),
    );
  });

  it('gives the shares of idle seats to the others, but for a trickle', () => {
    const some = fc
      .tuple(fc.integer({ min: 2, max: 1_000 }), fc.nat(5_000), fc.integer({ min: 1, max: 50_000 }))
      .chain(([seats, more, perSecond]) =>
        fc
          .uniqueArray(fc.nat(seats - 1), { minLength: 1, maxLength: seats - 1 })
          .map((idle) => ({ ...table(seats + more, perSecond, seats), idle })),
      );
    fc.assert(
      fc.property(some, (given) => {
        const { maxConcurrency = 0, rate } = given.limits;
        const shares = Array.from({ length: given.seats }, (_, i) => shareIn(given, i));
        expect(shares.every(({ calls, perSecond }) => calls >= 1 && perSecond > 0)).toBe(true);
        expect(sum(given, ({ calls }) => calls)).toBeLessThanOrEqual(maxConcurrency);
        expect(sum(given, ({ perSecond }) => perSecond)).toBeCloseTo(rate?.limit ?? 0, 4);
        const ofIdle = given.idle.reduce((total, i) => total + (shares[i]?.perSecond ?? 0), 0);
        expect(ofIdle).toBeCloseTo((rate?.limit ?? 0) / 100, 4);
      }),
    );
  });

  it('gives a seat that is not there nothing', () => {
    expect(shareIn(table(10, 10, 2), 2)).toEqual({ calls: 0, perSecond: 0, unitsPerSecond: 0 });
  });
});

describe('seatsFor', () => {
  it.each([
    [{ maxConcurrency: 1 }, 5, 1],
    [{ maxConcurrency: 20 }, 5, 1],
    [{ maxConcurrency: 1_000 }, 5, 4],
    [{ rate: { limit: 50, perMs: 1_000 } }, 5, 1],
    [{ rate: { limit: 2_000, perMs: 1_000 } }, 5, 5],
    [{ rate: { limit: 3_000, perMs: 60_000 } }, 5, 1],
    [{ units: { limit: 100_000, perMs: 60_000 } }, 5, 1],
    [{ maxConcurrency: 100_000 }, 3, 3],
  ])('takes for %j of %i workers %i', (given, workers, seats) => {
    expect(seatsFor(given, workers)).toBe(seats);
  });
});

describe('shareOf', () => {
  const timeoutMs = 10_000;

  it('lowers at once, and raises who gains from it when the others must have seen it', () => {
    const old = table(100, undefined, 2);
    const control = { table: table(100, undefined, 4), before: [{ ...old, agedMs: 0 }] };
    const at = (i: number, sinceSeenMs: number) => shareOf(control, i, { sinceSeenMs, timeoutMs }).calls;
    expect([at(0, 0), at(1, 0)]).toEqual([25, 25]);
    expect([at(2, 0), at(2, limits.raiseAfterMs + timeoutMs - 1), at(2, limits.raiseAfterMs + timeoutMs)]).toEqual([
      0, 0, 25,
    ]);
  });

  it('raises at once where nobody has less than before', () => {
    const control = { table: table(100, 50, 2), before: [{ ...table(10, 5, 2), agedMs: 0 }] };
    expect(shareOf(control, 0, { sinceSeenMs: 0, timeoutMs })).toMatchObject({ calls: 50, perSecond: 25 });
  });

  /** Seats see each table at a time of their own, at most 3 s after it was written, and act on it. */
  const story = fc.record({
    changes: fc.array(fc.tuple(tables, fc.integer({ min: 10, max: 9_000 })), { minLength: 1, maxLength: 6 }),
    lags: fc.array(fc.integer({ min: 0, max: limits.controlStaleMs }), { minLength: 12, maxLength: 12 }),
  });

  /** The first instant at which all seats together may do more than every limit of the last 3 s. */
  function overshoot(
    { changes, lags }: typeof story extends fc.Arbitrary<infer Story> ? Story : never,
    share: typeof shareOf,
  ): string | undefined {
    let at = 0;
    const written = changes.map(([of, gap]) => {
      at += gap;
      return { of, at };
    });
    const controls = written.map(({ of }, n) => ({
      table: of,
      before: written
        .slice(0, n)
        .map((old, m) => ({ ...old.of, agedMs: (written[n]?.at ?? 0) - (written[m + 1]?.at ?? 0) }))
        .reverse(),
    }));
    for (let now = written[0]?.at ?? 0; now <= at + 20_000; now += 97) {
      const shares = lags.map((lag, i) => {
        const seen = written.findLastIndex((one) => one.at + lag <= now);
        const control = controls[seen];
        if (control === undefined) return undefined;
        return share(control, i, { sinceSeenMs: now - lag - (written[seen]?.at ?? 0), timeoutMs: 0 });
      });
      const recent = written.filter(
        (one, n) => (written[n + 1]?.at ?? Number.POSITIVE_INFINITY) > now - limits.controlStaleMs && one.at <= now,
      );
      const allowed = Math.max(...recent.map(({ of }) => of.limits.rate?.limit ?? 0));
      const used = shares.reduce((total, one) => total + (one?.perSecond ?? 0), 0);
      if (used > allowed * 1.000001) return `${used} of ${allowed} at ${now}`;
    }
    return undefined;
  }

  it('never lets all seats together do more than some limit of the last 3 s, whoever sees what when', () => {
    fc.assert(
      fc.property(story, (given) => {
        expect(overshoot(given, shareOf)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('would do so without the wait of who gains', () => {
    const rash: typeof shareOf = ({ table: of }, i) => shareIn(of, i);
    const found = fc.check(
      fc.property(story, (given) => overshoot(given, rash) === undefined),
      { numRuns: 300 },
    );
    expect(found.failed).toBe(true);
  });
});
