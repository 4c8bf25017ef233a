import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeatLoad, SeatStatus } from '../../src/format/seat.ts';
import { nextSeatCount, type SeatCount, type SeatsSeen } from '../../src/job/seat-count.ts';

const seat = (given: Partial<SeatLoad> = {}, running = 400): SeatStatus => ({
  running,
  load: { perSecond: 100, unitsPerSecond: 0, slots: 0.8, loop: 0.1, heldUp: false, ...given },
});
const start: SeatCount = { seats: 2, changedAt: 0 };
const rate = (limit: number) => ({ rate: { limit, perMs: 1_000 } });
const at = (now: number, held: readonly SeatStatus[], limits: SeatsSeen['limits'] = rate(1_000)): SeatsSeen => ({
  now,
  held,
  limits,
  workers: 20,
  leftMs: 600_000,
  chunksLeft: 1_000,
});

describe('nextSeatCount', () => {
  it('adds seats when those there are wait for their workers and carry less than the limit', () => {
    const held = [seat({ heldUp: true, perSecond: 400 }), seat({ heldUp: true, perSecond: 400 })];
    expect(nextSeatCount(start, at(20_000, held))).toEqual({ seats: 3, changedAt: 20_000 });
    const calls = [seat({ heldUp: true }, 250), seat({ heldUp: true }, 250)];
    expect(nextSeatCount(start, at(20_000, calls, { maxConcurrency: 1_000 })).seats).toBe(4);
  });

  it('adds half as many where calls at once are limited, and loops compute all the time', () => {
    const held = [seat({ loop: 0.95 }, 200), seat({ loop: 0.5 }, 200)];
    expect(nextSeatCount(start, at(20_000, held, { maxConcurrency: 400 })).seats).toBe(3);
  });

  it('adds none when the downstream is what is slow, or the limit is carried', () => {
    expect(nextSeatCount(start, at(20_000, [seat(), seat()])).seats).toBe(2);
    const carried = [seat({ heldUp: true, perSecond: 500 }), seat({ heldUp: true, perSecond: 480 })];
    expect(nextSeatCount(start, at(20_000, carried)).seats).toBe(2);
  });

  it('decides nothing while a seat is free or has not been measured', () => {
    const saturated = seat({ heldUp: true, perSecond: 250 });
    expect(nextSeatCount(start, at(20_000, [saturated])).seats).toBe(2);
    expect(nextSeatCount(start, at(20_000, [saturated, { running: 5 }])).seats).toBe(2);
  });

  it('gives no seats without a chunk or a call of their own', () => {
    const held = [seat({ heldUp: true, perSecond: 1 }), seat({ heldUp: true, perSecond: 1 })];
    expect(nextSeatCount(start, { ...at(20_000, held), chunksLeft: 4 }).seats).toBe(4);
    const one = seat({ heldUp: true, perSecond: 1 }, 1);
    expect(nextSeatCount(start, at(20_000, [one, one], { ...rate(1_000), maxConcurrency: 3 })).seats).toBe(3);
  });

  it('takes seats away after 45 s in which none was much loaded, unless the job ends soon', () => {
    const idle = Array.from({ length: 10 }, () => seat({ slots: 0.1 }, 5));
    const first = nextSeatCount({ seats: 10, changedAt: 0 }, at(20_000, idle));
    expect(first).toEqual({ seats: 10, changedAt: 0, calmSince: 20_000 });
    expect(nextSeatCount(first, at(64_000, idle)).seats).toBe(10);
    expect(nextSeatCount(first, at(65_000, idle))).toEqual({ seats: 2, changedAt: 65_000 });
    expect(nextSeatCount(first, { ...at(65_000, idle), leftMs: 59_000 }).seats).toBe(10);
    // Nothing settled since the last turn.
    expect(nextSeatCount(first, { ...at(65_000, idle), leftMs: Number.POSITIVE_INFINITY }).seats).toBe(10);
    const busy = [...idle.slice(1), seat({ slots: 0.9 })];
    expect(nextSeatCount(first, at(65_000, busy))).toEqual({ seats: 10, changedAt: 0 });
    expect(nextSeatCount(first, at(65_000, idle, { maxConcurrency: 2_900 })).seats).toBe(6);
  });

  it('stays within 1 and the workers, and changes at most once in 12 s', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const anySeat = fc
      .record({
        perSecond: fc.nat(2_000),
        unitsPerSecond: fc.nat(2_000),
        heldUp: fc.boolean(),
        slots: part,
        loop: part,
      })
      .map((load) => seat(load));
    const look = fc.record({
      afterMs: fc.nat(30_000),
      held: fc.array(anySeat, { maxLength: 6 }),
      limits: fc.oneof(
        fc.integer({ min: 1, max: 20_000 }).map(rate),
        fc.integer({ min: 1, max: 20_000 }).map((maxConcurrency) => ({ maxConcurrency })),
      ),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (looks, workers) => {
        let count: SeatCount = { seats: 1, changedAt: 0 };
        let now = 0;
        for (const { afterMs, held, limits } of looks) {
          now += afterMs;
          const next = nextSeatCount(count, { ...at(now, held, limits), workers });
          expect(next.seats).toBeGreaterThanOrEqual(1);
          expect(next.seats).toBeLessThanOrEqual(workers);
          if (next.seats !== count.seats) expect(now - count.changedAt).toBeGreaterThanOrEqual(12_000);
          count = next;
        }
      }),
    );
  });
});
