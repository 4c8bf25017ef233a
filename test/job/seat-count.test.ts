import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSeatCount, type SeatCount, type SeatLoad } from '../../src/job/seat-count.ts';

const load = (given: Partial<SeatLoad> = {}): SeatLoad => ({ perSecond: 100, saturated: false, load: 0.8, ...given });
const start: SeatCount = { seats: 2, changedAt: 0 };
const at = (now: number, loads: readonly SeatLoad[], limitPerSecond = 1_000) => ({
  now,
  loads,
  limitPerSecond,
  workers: 20,
});

describe('nextSeatCount', () => {
  it('adds seats when those there are are saturated and carry less than the limit', () => {
    const loads = [load({ saturated: true, perSecond: 250 }), load({ saturated: true, perSecond: 250 })];
    expect(nextSeatCount(start, at(20_000, loads))).toEqual({ seats: 5, changedAt: 20_000 });
  });

  it('adds none when the downstream is what is slow, or the limit is carried', () => {
    expect(nextSeatCount(start, at(20_000, [load(), load()])).seats).toBe(2);
    const carried = [load({ saturated: true, perSecond: 500 }), load({ saturated: true, perSecond: 480 })];
    expect(nextSeatCount(start, at(20_000, carried)).seats).toBe(2);
  });

  it('takes seats away after 45 s in which none was much loaded', () => {
    const idle = Array.from({ length: 10 }, () => load({ load: 0.1 }));
    const first = nextSeatCount({ seats: 10, changedAt: 0 }, at(20_000, idle));
    expect(first).toEqual({ seats: 10, changedAt: 0, calmSince: 20_000 });
    expect(nextSeatCount(first, at(64_000, idle)).seats).toBe(10);
    expect(nextSeatCount(first, at(65_000, idle))).toEqual({ seats: 2, changedAt: 65_000 });
    const busy = [...idle.slice(1), load({ load: 0.9 })];
    expect(nextSeatCount(first, at(65_000, busy))).toEqual({ seats: 10, changedAt: 0 });
  });

  it('stays within 1 and the workers, and changes at most once in 12 s', () => {
    const anyLoad = fc.record({
      perSecond: fc.nat(2_000),
      saturated: fc.boolean(),
      load: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const look = fc.record({
      afterMs: fc.nat(30_000),
      loads: fc.array(anyLoad, { maxLength: 6 }),
      limitPerSecond: fc.nat(20_000),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (looks, workers) => {
        let count: SeatCount = { seats: 1, changedAt: 0 };
        let now = 0;
        for (const { afterMs, loads, limitPerSecond } of looks) {
          now += afterMs;
          const next = nextSeatCount(count, { now, loads, limitPerSecond, workers });
          expect(next.seats).toBeGreaterThanOrEqual(1);
          expect(next.seats).toBeLessThanOrEqual(workers);
          if (next.seats !== count.seats) expect(now - count.changedAt).toBeGreaterThanOrEqual(12_000);
          count = next;
        }
      }),
    );
  });
});
