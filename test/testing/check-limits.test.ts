import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLimits, type LimitsFrom } from '../../src/testing/check-limits.ts';
import type { CallEvent, LifeEvent } from '../../src/testing/history.ts';

const call = (startedAt: number, endedAt?: number, life = 0): CallEvent => ({
  pass: 0,
  idempotencyKey: 'job/0',
  jobId: 'j',
  index: startedAt,
  attempt: 1,
  life,
  startedAt,
  ...(endedAt === undefined ? {} : { endedAt }),
});
const life = (id: number, killedAt?: number): LifeEvent => ({
  id,
  role: 'worker',
  startedAt: 0,
  frozen: [],
  faults: [],
  chunks: new Map(),
  ...(killedAt === undefined ? {} : { killedAt }),
});
const rules = (calls: readonly CallEvent[], limits: readonly LimitsFrom[], lives = [life(0)]) => [
  ...new Set(checkLimits({ calls, lives, limits }).map(({ rule }) => rule)),
];

/** Calls through a semaphore: each starts as soon as a place is free. */
function throughSemaphore(durations: readonly number[], places: number): CallEvent[] {
  const free = new Array<number>(places).fill(0);
  return durations.map((ms) => {
    const at = free.indexOf(Math.min(...free));
    const startedAt = free[at] ?? 0;
    free[at] = startedAt + ms;
    return call(startedAt, startedAt + ms);
  });
}

const durations = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 2, maxLength: 80 });
const places = fc.integer({ min: 1, max: 12 });

describe('checkLimits', () => {
  it('finds nothing in calls through a semaphore, and one place too many at once', () => {
    fc.assert(
      fc.property(durations, places, (ms, most) => {
        expect(rules(throughSemaphore(ms, most), [{ at: 0, maxConcurrency: most }])).toEqual([]);
        if (ms.length > most) {
          expect(rules(throughSemaphore(ms, most + 1), [{ at: 0, maxConcurrency: most }])).toEqual(['calls at once']);
        }
      }),
    );
  });

  it('finds nothing in starts at an even pace, and a pace that is too fast', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20 }), (perSecond, seats) => {
        const limits = [{ at: 0, perSecond, seats }];
        const paced = (pace: number) =>
          Array.from({ length: Math.ceil(5 * pace) }, (_, n) => call((n * 1_000) / pace, (n * 1_000) / pace + 10));
        expect(rules(paced(perSecond), limits)).toEqual([]);
        const tooFast = 1.05 * (1.02 * perSecond + 2 * seats + 2);
        expect(rules(paced(tooFast), limits)).toEqual(['starts a second']);
      }),
    );
  });

  it('counts neither what ended nor what died with its process', () => {
    const limits = [{ at: 0, maxConcurrency: 1 }];
    expect(rules([call(0, 10), call(10, 20)], limits)).toEqual([]);
    expect(rules([call(0, undefined, 1), call(50, 60)], limits, [life(0), life(1, 40)])).toEqual([]);
    expect(rules([call(0, undefined, 1), call(50, 60)], limits, [life(0), life(1)])).toEqual(['calls at once']);
  });

  it('gives 3 s to obey a lowered limit, and lets what began before end', () => {
    const limits = [
      { at: 0, maxConcurrency: 2 },
      { at: 1_000, maxConcurrency: 1 },
    ];
    expect(rules([call(0, 9_000), call(3_900, 9_000)], limits)).toEqual([]);
    expect(rules([call(0, 9_000), call(4_100, 9_000)], limits)).toEqual([]);
    expect(rules([call(4_050, 9_000), call(4_100, 9_000)], limits)).toEqual(['calls at once']);
  });

  it('allows no more than the higher of both limits while one is raised', () => {
    const limits = [
      { at: 0, maxConcurrency: 1 },
      { at: 1_000, maxConcurrency: 2 },
    ];
    expect(rules([call(900, 5_000), call(950, 5_000)], limits)).toEqual(['calls at once']);
    expect(rules([call(900, 5_000), call(1_050, 5_000), call(1_060, 5_000)], limits)).toEqual(['calls at once']);
    expect(rules([call(900, 5_000), call(1_050, 5_000)], limits)).toEqual([]);
  });

  it('finds starts in a pause, 3 s after it began and before it ends', () => {
    const limits = [{ at: 0 }, { at: 1_000, paused: true }, { at: 9_000 }];
    expect(rules([call(3_900, 4_000), call(9_000, 9_100)], limits)).toEqual([]);
    expect(rules([call(4_001, 4_100)], limits)).toEqual(['nothing starts in a pause']);
    expect(rules([call(8_999, 9_100)], limits)).toEqual(['nothing starts in a pause']);
  });
});
