import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Share } from '../../src/format/share.ts';
import { limits } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { Brake } from '../../src/worker/brake.ts';
import { Gate } from '../../src/worker/gate.ts';
import { Gcra } from '../../src/worker/gcra.ts';
import { runBrakedWorkers, takes } from './braked-workers.ts';

const unlimited: Share = { calls: 100, perSecond: Number.POSITIVE_INFINITY, unitsPerSecond: Number.POSITIVE_INFINITY };

describe('Gcra', () => {
  const burstMs = limits.paceBurstMs;

  it('lets at most rate · (w + burst) + 1 starts pass in any time w, whatever is asked when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.array(fc.double({ min: 0, max: 40, noNaN: true }), { minLength: 20, maxLength: 400 }),
        fc.integer({ min: 1, max: 1_000 }),
        (perSecond, gaps, windowMs) => {
          const pace = new Gcra({ now: 0, perSecond, burstMs });
          const starts: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            while (pace.waitMs(now) === 0 && starts.length < 20_000) {
              pace.take(now);
              starts.push(now);
            }
          }
          const most = (perSecond * (windowMs + burstMs)) / 1_000 + 1;
          starts.forEach((from, i) => {
            const within = starts.findIndex((at, j) => j >= i && at >= from + windowMs);
            expect((within === -1 ? starts.length : within) - i).toBeLessThanOrEqual(most + 1e-6);
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('uses all of the rate when it is asked in time', () => {
    const pace = new Gcra({ now: 0, perSecond: 50, burstMs });
    let starts = 0;
    for (let now = 0; now <= 10_000; now += Math.max(1, pace.waitMs(now))) {
      if (pace.waitMs(now) > 0) continue;
      pace.take(now);
      starts++;
    }
    expect(starts).toBeGreaterThanOrEqual(498);
    expect(starts).toBeLessThanOrEqual(502);
  });

  it('passes what was started ahead to a successor', () => {
    const first = new Gcra({ now: 0, perSecond: 10, burstMs });
    first.take(0);
    const second = new Gcra({ now: 30, perSecond: 10, burstMs });
    second.owe(30, first.debtMs(30));
    expect(second.waitMs(30)).toBeCloseTo(100 - 30 - burstMs, 6);
  });

  it('gives back what was charged too much, and charges what was too little', () => {
    const units = new Gcra({ now: 0, perSecond: 1_000, burstMs: 0 });
    units.take(0, 5_000);
    expect(units.waitMs(0)).toBe(5_000);
    units.correct(0, -4_000, limits.unitsCreditMs);
    expect(units.waitMs(0)).toBe(1_000);
    units.correct(0, 500, limits.unitsCreditMs);
    expect(units.waitMs(0)).toBe(1_500);
    units.correct(0, -100_000, limits.unitsCreditMs);
    units.take(0, limits.unitsCreditMs);
    expect(units.waitMs(0)).toBe(limits.unitsCreditMs);
  });

  it('starts nothing at a rate of none', () => {
    expect(new Gcra({ now: 0, perSecond: 0, burstMs }).waitMs(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('Brake', () => {
  it('brakes nothing until more than a few are refused, then to what succeeds', () => {
    const brake = new Brake();
    for (let i = 0; i < 100; i++) brake.succeeded(10 * i);
    for (let i = 0; i < 4; i++) brake.refused(1_000, undefined);
    expect(brake.perSecond(1_000)).toBe(Number.POSITIVE_INFINITY);
    brake.refused(1_000, undefined);
    expect(brake.perSecond(1_000)).toBeCloseTo(0.92 * 99, 0);
    // Once a second, however many are refused.
    brake.refused(1_001, undefined);
    expect(brake.perSecond(1_001)).toBeCloseTo(0.92 * 99, 0);
  });

  it('is not cut by three refusals among the first fifty answers', () => {
    for (const everyMs of [2, 10, 19]) {
      const brake = new Brake();
      for (let n = 1; n <= 50; n++) {
        if (n % 16 === 0) brake.refused(everyMs * n, undefined);
        else brake.succeeded(everyMs * n);
      }
      expect(brake.perSecond(everyMs * 50)).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('is cut to what a slow job has got, and not to what came in one second of it', () => {
    const brake = new Brake();
    for (let now = 100; now <= 4_000; now += 100) brake.succeeded(now);
    for (let n = 0; n < 2; n++) brake.refused(4_000, undefined);
    brake.succeeded(4_100);
    // A lull.
    brake.succeeded(4_400);
    brake.succeeded(4_800);
    expect(brake.perSecond(4_900)).toBe(Number.POSITIVE_INFINITY);
    brake.refused(5_050, undefined);
    expect(brake.perSecond(5_050)).toBeGreaterThan(7);
    expect(brake.perSecond(5_050)).toBeLessThan(10);
  });

  it('comes back when nothing is refused', () => {
    const brake = new Brake();
    for (let i = 0; i < 100; i++) brake.succeeded(10 * i);
    for (let i = 0; i < 5; i++) brake.refused(1_000, undefined);
    expect(brake.perSecond(2_999)).toBeCloseTo(0.92 * 99, 0);
    expect(brake.perSecond(13_000)).toBeGreaterThan(91 * 1.03 ** 10);
    let now = 13_000;
    while (brake.perSecond(now) !== Number.POSITIVE_INFINITY && now < 10_000_000) now += 1_000;
    expect(now).toBeLessThan(400_000);
  });

  it('is soon where it was when only the first calls were refused', () => {
    const brake = new Brake();
    for (let i = 0; i < 36; i++) brake.refused(i, undefined);
    expect(brake.perSecond(36)).toBe(1);
    expect(brake.perSecond(15_000)).toBeGreaterThan(15);
  });

  it('cuts again within the second where half is refused still, and not for what was under way at the first cut', () => {
    const brake = new Brake();
    for (let now = 0; now < 1_000; now += 2) brake.succeeded(now);
    for (let now = 1_000; now < 1_400; now += 2) {
      brake.refused(now, undefined);
      if (now % 4 === 0) brake.succeeded(now);
    }
    // 250 succeed in a second.
    expect(brake.perSecond(1_400)).toBeLessThan(300);
    const burst = new Brake();
    for (let i = 0; i < 20; i++) burst.succeeded(i);
    for (let i = 0; i < 80; i++) burst.refused(20 + i, undefined);
    expect(burst.perSecond(500)).toBeCloseTo(0.92 * 20, 0);
  });

  it('does not sink where a few calls are refused whatever the pace is', () => {
    const random = seededRandom(7);
    const brake = new Brake();
    let least = Number.POSITIVE_INFINITY;
    for (let now = 0; now < 120_000; now += 5) {
      if (random() < 0.02) brake.refused(now, 0);
      else brake.succeeded(now);
      if (now > 5_000) least = Math.min(least, brake.perSecond(now));
    }
    expect(least).toBeGreaterThan(150);
  });

  it.each([
    [200, 0.02],
    [1_000, 0.01],
    [1_000, 0.02],
  ])(
    'comes to keep %i/s where %f are refused whatever the pace is, sooner than the others succeed',
    (offered, part) => {
      const random = seededRandom(3);
      const brake = new Brake();
      const share = new Gcra({ now: 0, perSecond: offered, burstMs: limits.paceBurstMs });
      const braked = new Gcra({ now: 0, perSecond: Number.POSITIVE_INFINITY, burstMs: limits.paceBurstMs });
      const refusals: number[] = [];
      const successes: number[] = [];
      const due = (answers: number[], now: number): number[] =>
        answers.splice(0, answers.filter((at) => at <= now).length);
      let starts = 0;
      for (let now = 0; now < 150_000; now++) {
        for (const _ of due(refusals, now)) brake.refused(now, undefined);
        for (const _ of due(successes, now)) brake.succeeded(now);
        braked.perSecond = brake.perSecond(now);
        while (share.waitMs(now) === 0 && braked.waitMs(now) === 0) {
          for (const pace of [share, braked]) pace.take(now);
          brake.started(now);
          if (now >= 90_000) starts++;
          if (random() < part) refusals.push(now + 3);
          else successes.push(now + 200);
        }
      }
      expect(starts / 60).toBeGreaterThan(0.9 * offered);
    },
  );

  it.each([
    [200, 0.005],
    [200, 0.01],
    [1_000, 0.005],
    [1_000, 0.01],
    [3_000, 0.005],
  ])('comes back after a storm to %i/s where %f of all calls are refused whatever the pace is', (offered, refused) => {
    const random = seededRandom(11);
    const brake = new Brake();
    let [due, late] = [0, 0];
    for (let now = 0; now < 600_000; now += 10) {
      const pace = Math.min(offered, brake.perSecond(now));
      const part = now > 1_000 && now < 3_000 ? 0.6 : refused;
      for (due += pace / 100; due >= 1; due--)
        if (random() < part) brake.refused(now, undefined);
        else brake.succeeded(now);
      if (now >= 500_000) late += pace / 100;
    }
    expect(late / 100).toBeGreaterThan(0.9 * offered);
  });

  it('seldom tries beyond a pace at which it was refused twice, and is soon beyond it when it holds no more', () => {
    const brake = new Brake();
    const random = seededRandom(5);
    let [due, pace, taken, backAt] = [0, 0, 100, 0];
    let [calls, refused, succeeded] = [0, 0, 0];
    for (let now = 0; now < 240_000 && backAt === 0; now += 10) {
      if (now >= 180_000) taken = Number.POSITIVE_INFINITY;
      pace = Math.min(1_000, brake.perSecond(now));
      for (due += pace / 100; due >= 1; due--) {
        const isRefused = now > 5_000 && random() < 1 - taken / pace;
        if (isRefused) brake.refused(now, undefined);
        else brake.succeeded(now);
        if (now < 30_000 || now >= 180_000) continue;
        calls++;
        if (isRefused) refused++;
        else succeeded++;
      }
      if (now > 180_000 && pace >= 950) backAt = now;
    }
    expect(refused / calls).toBeLessThan(0.01);
    expect(succeeded / (150 * 100)).toBeGreaterThan(0.93);
    expect(backAt).toBeGreaterThan(0);
    expect(backAt - 180_000).toBeLessThan(60_000);
  });

  it('never stops for good', () => {
    const brake = new Brake();
    for (let now = 0; now < 60_000; now += 100) brake.refused(now, undefined);
    expect(brake.perSecond(60_000)).toBeGreaterThanOrEqual(1);
  });

  it('holds the job only when half of the last answers were refusals that ask for it', () => {
    const few = new Brake();
    for (let i = 0; i < 40; i++) few.succeeded(i);
    for (let i = 0; i < 10; i++) few.refused(40 + i, 10_000);
    expect(few.holdMs(50)).toBe(0);
    const many = new Brake();
    for (let i = 0; i < 15; i++) many.succeeded(i);
    for (let i = 0; i < 15; i++) many.refused(15 + i, 10_000);
    expect(many.holdMs(30)).toBeGreaterThan(9_000);
    expect(many.holdMs(20_000)).toBe(0);
  });

  it('uses nine tenths of what a downstream admits, and is refused little', () => {
    const brake = new Brake();
    const pace = new Gcra({ now: 0, perSecond: Number.POSITIVE_INFINITY, burstMs: limits.paceBurstMs });
    const admitted: number[] = [];
    let [refused, accepted] = [0, 0];
    for (let now = 0; now < 90_000; now += 1) {
      pace.perSecond = Math.min(2_000, brake.perSecond(now));
      while (pace.waitMs(now) === 0) {
        pace.take(now);
        brake.started(now);
        while ((admitted[0] ?? now) <= now - 1_000) admitted.shift();
        if (admitted.length < 800) {
          admitted.push(now);
          accepted++;
          brake.succeeded(now);
        } else {
          refused++;
          brake.refused(now, 1_000);
        }
      }
    }
    expect(accepted / (90 * 800)).toBeGreaterThan(0.9);
    expect(refused / (refused + accepted)).toBeLessThan(0.02);
  });
});

describe('brakes of several workers', () => {
  it.each([1, 5, 8])('use nine tenths of what a downstream takes of %i, and are refused few', (workers) => {
    const take = takes(800);
    const from = 5_000;
    const until = from + 90_000;
    const seen = runBrakedWorkers({
      workers,
      perSecond: 2_000,
      forMs: until,
      seed: workers,
      refuses: (now) => now >= from && !take(now),
    });
    const { calls, refused } = seen(from, until);
    expect((calls - refused) / (90 * 800)).toBeGreaterThan(0.9);
    expect(refused / calls).toBeLessThan(0.02);
  });
});

describe('Gate', () => {
  const gateOf = (share: Share, more: { rampMs?: number; isEager?: boolean; adaptive?: boolean } = {}) =>
    new Gate({ now: 0, share, rampMs: 0, adaptive: true, ...more });

  it('starts no more at once than its share', () => {
    const gate = gateOf({ ...unlimited, calls: 2 });
    expect(gate.next(0, 1)).toEqual({ kind: 'start' });
    expect(gate.next(0, 2)).toEqual({ kind: 'full' });
    gate.share = { ...unlimited, calls: 0 };
    expect(gate.next(0, 0)).toEqual({ kind: 'full' });
  });

  it('says when the next start may happen', () => {
    const gate = gateOf({ ...unlimited, perSecond: 10 });
    expect(gate.next(0, 0)).toEqual({ kind: 'start' });
    gate.started(0, 0);
    expect(gate.next(0, 1)).toEqual({ kind: 'wait', ms: 100 - limits.paceBurstMs });
  });

  it('counts units, and what they really were', () => {
    const gate = gateOf({ ...unlimited, unitsPerSecond: 100 });
    gate.started(0, 50);
    expect(gate.next(0, 1)).toEqual({ kind: 'wait', ms: 500 });
    gate.settled(0, -40);
    expect(gate.next(0, 0)).toEqual({ kind: 'wait', ms: 100 });
  });

  it('opens over the ramp, calls and rate alike', () => {
    const gate = gateOf({ ...unlimited, perSecond: 100 }, { rampMs: 10_000 });
    expect(gate.slots(0)).toBe(limits.rampFloor);
    expect(gate.slots(5_000)).toBe(50);
    expect(gate.slots(10_000)).toBe(100);
    const asked = gateOf({ ...unlimited, perSecond: 100 }, { rampMs: 10_000 });
    let starts = 0;
    for (let now = 0; now < 10_000; now++) {
      if (asked.next(now, 0).kind !== 'start') continue;
      asked.started(now, 0);
      starts++;
    }
    // Half of what the whole rate would have been.
    expect(starts).toBeGreaterThan(440);
    expect(starts).toBeLessThan(560);
  });

  it.each([
    { ends: 'well', opens: 'the rest fast', slots: [20, 60, 100] },
    { ends: 'in a refusal', opens: 'slowly on', slots: [20, 24, 28] },
  ])('opens $opens when the first calls have ended $ends', ({ ends, slots }) => {
    const gate = gateOf(unlimited, { rampMs: 1_000, isEager: true });
    if (ends === 'in a refusal') gate.refused(100, undefined);
    for (let n = 0; n < limits.rampProof; n++) gate.succeeded(200);
    expect([200, 240, 280].map((now) => gate.slots(now))).toEqual(slots);
  });

  it.each([
    ['is refused', (gate: Gate) => gate.refused(240, undefined)],
    ['fails in passing', (gate: Gate) => gate.failed(240)],
  ])('opens slowly on when a call %s while the rest opens', (_, end) => {
    const gate = gateOf(unlimited, { rampMs: 1_000, isEager: true });
    for (let n = 0; n < limits.rampProof; n++) gate.succeeded(200);
    end(gate);
    expect([240, 300, 650].map((now) => gate.slots(now))).toEqual([60, 66, 100]);
  });

  it('keeps to a ramp that was asked for, however well calls are answered', () => {
    const gate = gateOf(unlimited, { rampMs: 10_000 });
    for (let now = 0; now < 5_000; now++) gate.succeeded(now);
    expect(gate.slots(5_000)).toBe(50);
  });

  it('goes on at the pace to which the brake of a predecessor had come', () => {
    const gate = gateOf(unlimited);
    gate.inheritBrake(0, 160);
    expect(gate.brakedTo(1_000)).toBeCloseTo(160, 6);
    gate.scaleBrake(1_000, 2);
    expect(gate.brakedTo(1_000)).toBeCloseTo(320, 6);
  });

  it('does not brake where that is not wanted', () => {
    const gate = gateOf(unlimited, { adaptive: false });
    for (let i = 0; i < 50; i++) gate.refused(i, 60_000);
    expect(gate.next(50, 0)).toEqual({ kind: 'start' });
  });
});
