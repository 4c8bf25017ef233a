import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Random } from '../../src/ports.ts';
import { defineTask } from '../../src/task/task.ts';
import { check } from '../../src/testing/check.ts';
import { checkLimits, type LimitsFrom } from '../../src/testing/check-limits.ts';
import type { FaultKind } from '../../src/testing/faults.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { type Simulated, type SimulationOptions, simulate } from '../../src/testing/simulate.ts';

const workers = 5;

const task = defineTask({
  description: 'Waits',
  input: z.object({ ms: z.number() }),
  example: { ms: 1 },
  run: ({ ms }, { signal }) =>
    new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => resolve(1), ms);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    }),
});

type Limits = NonNullable<NonNullable<SimulationOptions['options']>['limits']>;

/** What the checker knows of limits. */
const heldFrom = (at: number, of: Limits): LimitsFrom => ({
  at,
  ...(of.maxConcurrency === undefined ? {} : { maxConcurrency: of.maxConcurrency }),
  ...(typeof of.rate === 'object' ? { perSecond: (of.rate.limit * 1_000) / of.rate.perMs } : {}),
  seats: workers,
});

const perSecond = (limit: number) => ({ limit, perMs: 1_000 });

describe('limits of a job that nothing befalls', () => {
  it.each([
    [{ maxConcurrency: 1 }, 200, 600, 0.97],
    [{ maxConcurrency: 20 }, 2_000, 4_000, 0.97],
    [{ rate: perSecond(50) }, 300, 6_000, 0.97],
    [{ rate: perSecond(0.5) }, 100, 40, 0.97],
    [{ maxConcurrency: 600 }, 500, 30_000, 0.85],
  ] as const)('%j is kept and used, with one call an item', async (of, ms, count, used) => {
    const items = Array.from({ length: count }, () => ({ ms }));
    const run = await simulate({ task, items, workers, options: { limits: of, timeoutMs: 5_000 }, wait: false });
    const { calls, lives } = run.history;
    const ideal = 'rate' in of ? (count * of.rate.perMs) / of.rate.limit : (count * ms) / of.maxConcurrency;
    expect(run.rows.length).toBe(count);
    expect(calls.length).toBe(count);
    expect(checkLimits({ calls, lives, limits: [heldFrom(0, of)] })).toEqual([]);
    expect(ideal / run.tookMs).toBeGreaterThan(used);
  });
});

describe('units', () => {
  it('are kept as their task counts them before, and as its calls say after', async () => {
    const tokens = defineTask({
      description: 'Uses twice what it was thought to use',
      input: z.object({ tokens: z.number() }),
      example: { tokens: 10 },
      limits: { units: '600/min' },
      units: ({ tokens: thought }) => thought,
      run: async ({ tokens: thought }, { used }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        used({ units: 2 * thought, usd: 0.001 });
        return 1;
      },
    });
    const items = Array.from({ length: 60 }, () => ({ tokens: 10 }));
    const run = await simulate({ task: tokens, items, workers, wait: false });
    const starts = run.history.calls.map(({ startedAt }) => startedAt);
    expect(starts.length).toBe(60);
    // 20 units an item at 10 a second: an item in 2 s.
    const tookMs = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    expect(tookMs).toBeGreaterThan(0.97 * 59 * 2_000);
    expect(tookMs).toBeLessThan(1.05 * 59 * 2_000);
    expect(run.summary.totals.nanoUsd).toBe(60_000_000);
  });
});

/** The run as the checker sees it: with what held from the moment in which each write of the control stood. */
function limitedRun({ history }: Simulated, { options }: SimulationOptions) {
  const { calls, lives, controls } = history;
  const later = controls.map(({ at, control }) => ({
    ...heldFrom(at, control.table.limits),
    ...(control.state === 'paused' ? { paused: true } : {}),
  }));
  return { calls, lives, limits: [heldFrom(0, options?.limits ?? {}), ...later] };
}

/** A run whose limit wanders around what one worker carries, so that it moves between seats, while some looks at it hang. */
function movesOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x5ea75);
  const isRate = random() < 0.4;
  const of = (): Limits => {
    const limit = 245 + Math.floor(random() * 12) + (random() < 0.3 ? 250 : 0);
    return isRate ? { rate: perSecond(limit) } : { maxConcurrency: limit };
  };
  let at = 0;
  const steer = Array.from({ length: 6 }, () => {
    at += 3_500 + Math.floor(random() * 6_000);
    return { afterMs: at, act: of() };
  });
  return {
    task,
    items: Array.from({ length: isRate ? 9_000 : 6_000 }, () => ({ ms: isRate ? 100 : 500 + random() * 2_500 })),
    seed,
    workers,
    options: { limits: of(), timeoutMs: 4_000 },
    wait: false,
    steer,
    faults: { odds: random() < 0.5 ? { 's3-hang': 0.02 } : {}, forMs: 60_000 },
  };
}

/** A run that is steered at random moments while processes die, stand still, and messages are doubled, delayed, and lost. */
function chaosOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x11317);
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const some = (): Limits =>
    pick<Limits>([
      { maxConcurrency: pick([1, 2, 5, 20, 300, 700]) },
      { rate: perSecond(pick([0.5, 5, 50, 300, 600])) },
      { maxConcurrency: pick([2, 10, 50]), rate: perSecond(pick([5, 20, 100])) },
    ]);
  const first = some();
  const steer: Array<NonNullable<SimulationOptions['steer']>[number]> = [];
  let now: Limits = first;
  let paused = false;
  let at = 0;
  for (let n = Math.floor(random() * 5); n > 0; n--) {
    at += 1_000 + Math.floor(random() * 15_000);
    const wasPaused = paused;
    if (random() < 0.4) paused = !paused;
    else now = some();
    const act = paused === wasPaused ? { maxConcurrency: null, rate: null, ...now } : paused ? 'pause' : 'resume';
    steer.push({ afterMs: at, act: act as 'pause' });
  }
  if (paused) {
    steer.push({ afterMs: at + 20_000, act: 'resume' });
  }
  return {
    task,
    items: itemsOf(random, pick([30, 100, 400])),
    seed,
    workers,
    options: { limits: first, timeoutMs: 4_000 },
    wait: false,
    steer,
    faults: faultsOf(random),
  };
}

const itemsOf = (random: Random, count: number) => Array.from({ length: count }, () => ({ ms: 50 + random() * 2_000 }));

function faultsOf(random: Random) {
  const odds: Partial<Record<FaultKind, number>> = {};
  const kinds: readonly FaultKind[] = [
    'kill',
    'kill-at-call',
    'freeze',
    'deadline',
    'duplicate',
    'delayed',
    'lost-send',
    'lost-tick',
    's3-slow',
  ];
  for (const kind of kinds) {
    if (random() < 0.35) odds[kind] = kind === 'kill-at-call' || kind === 's3-slow' ? 0.02 : 0.3;
  }
  return { odds, forMs: 60_000, longestMs: 60_000 };
}

const seeds = Array.from(
  { length: Number(process.env['LIMIT_SEEDS'] ?? 20) },
  (_, n) => n + Number(process.env['LIMIT_FROM'] ?? 1),
);

describe('limits under chaos', () => {
  it.each(seeds)('are kept, and every item has one row, seed %i', async (seed) => {
    const options = chaosOf(seed);
    const run = await simulate(options);
    expect({ seed, found: checkLimits(limitedRun(run, options)) }).toEqual({ seed, found: [] });
    const expected = { items: options.items.length, cancelled: false, endsWithinMs: 30 * 60_000, row: () => undefined };
    expect({ seed, found: check(run, expected) }).toEqual({ seed, found: [] });
    expect(run.rows.every(({ status }) => status === 'succeeded')).toBe(true);
  });
});

describe('limits that move between seats', () => {
  it.each(seeds.slice(0, Math.ceil(seeds.length / 10)))('are kept, seed %i', async (seed) => {
    const options = movesOf(seed);
    const run = await simulate(options);
    expect({ seed, found: checkLimits(limitedRun(run, options)) }).toEqual({ seed, found: [] });
    expect(run.rows.every(({ status }) => status === 'succeeded')).toBe(true);
  });
});
