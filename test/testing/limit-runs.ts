import { z } from 'zod';
import { limits as bounds } from '../../src/limits.ts';
import type { Random } from '../../src/ports.ts';
import { parseLimits } from '../../src/task/job-limits.ts';
import { defineTask } from '../../src/task/task.ts';
import { check } from '../../src/testing/check.ts';
import { checkLimits, type LimitsFrom } from '../../src/testing/check-limits.ts';
import { checkSeats } from '../../src/testing/check-seats.ts';
import type { FaultKind } from '../../src/testing/faults.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { type Simulated, type SimulationOptions, SimulationStuck, simulate } from '../../src/testing/simulate.ts';

export const workers = 5;

export const waits = defineTask({
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

export type Limits = Exclude<NonNullable<NonNullable<SimulationOptions['options']>['limits']>, string>;

export const perSecond = (limit: number) => ({ limit, perMs: 1_000 });

/** What the checker knows of limits. */
function heldFrom(at: number, of: Limits, seats: number): LimitsFrom {
  return {
    at,
    seats,
    ...(of.maxConcurrency === undefined ? {} : { maxConcurrency: of.maxConcurrency }),
    ...(typeof of.rate === 'object' ? { perSecond: (of.rate.limit * 1_000) / of.rate.perMs } : {}),
  };
}

/** Every promise on limits that a run has broken, by what held from the moment in which each write of the control stood. */
export function brokenBy({ history, passes }: Simulated, { options }: SimulationOptions) {
  const { calls, lives, controls } = history;
  const limits = parseLimits(options?.limits ?? {});
  const chunks = passes[0]?.bounds ?? [];
  const seated = { history, bounds: chunks, limits, workers, timeoutMs: options?.timeoutMs ?? bounds.timeoutMs };
  const most = Math.max(...controls.map(({ control }) => control.table.seats), 1);
  const first = controls[0]?.control.before.at(-1)?.seats ?? 1;
  const later = controls.map(({ at, control }) => ({
    ...heldFrom(at, control.table.limits, control.table.seats),
    ...(control.state === 'paused' ? { paused: true } : {}),
  }));
  const held = [heldFrom(0, limits, controls.length === 0 ? Math.max(most, workers) : first), ...later];
  return [...checkLimits({ calls, lives, limits: held }), ...checkSeats(seated), ...tooClose(calls, held)];
}

/** Where one seat starts everything at one rate, no start comes earlier after another than its pace allows. */
function tooClose(calls: Simulated['history']['calls'], limits: readonly LimitsFrom[]) {
  const paces = new Set(limits.map(({ perSecond: pace }) => pace));
  const [pace] = paces;
  if (paces.size > 1 || pace === undefined || limits.some(({ seats, maxConcurrency }) => seats !== 1 || maxConcurrency))
    return [];
  const starts = calls.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  return starts
    .map((at, n) => at - (starts[n - 1] ?? Number.NEGATIVE_INFINITY))
    .filter((ms) => ms < 1_000 / pace - bounds.paceBurstMs - 1)
    .map((ms) => ({ rule: 'starts keep their distance', what: `${ms} ms at ${pace}/s` }));
}

/** What part of its limit a job used, from its start to its last row: 1 is all of it. */
export function usedPart(
  { history, endedAt, tookMs }: Simulated,
  of: { readonly perSecond?: number; readonly calls?: number },
) {
  const { calls } = history;
  const startedAt = endedAt - tookMs;
  const last = calls.reduce((latest, { endedAt: end = 0 }) => Math.max(latest, end), 0);
  const callMs = calls.reduce((sum, { startedAt: from, endedAt: end = from }) => sum + end - from, 0);
  const ideal =
    of.calls === undefined ? (1_000 * calls.length) / (of.perSecond ?? 1) + callMs / calls.length : callMs / of.calls;
  return ideal / (last - startedAt);
}

/** A run whose limit goes up and down around what one worker carries, so that it moves between seats, with long calls, and a pause. */
function movesOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x5ea75);
  const isRate = random() < 0.4;
  const of = (most: number): Limits => {
    const limit = most - Math.floor(random() * 5);
    return isRate ? { rate: perSecond(limit) } : { maxConcurrency: limit };
  };
  let at = 0;
  const moves = [255, 250, random() < 0.5 ? 505 : 255, 250].map((most) => {
    at += 4_000 + Math.floor(random() * 4_000);
    return { afterMs: at, act: of(most) };
  });
  const pauses = [
    { afterMs: at + 1_000 * random(), act: 'pause' as const },
    { afterMs: at + 6_000, act: 'resume' as const },
  ];
  return {
    task: waits,
    items: Array.from({ length: isRate ? 6_000 : 2_000 }, () => ({ ms: isRate ? 100 : 4_500 + random() * 3_400 })),
    seed,
    workers,
    options: { limits: of(250), timeoutMs: 8_000 },
    wait: false,
    steer: random() < 0.5 ? moves : [...moves, ...pauses],
  };
}

/** A run that is lowered while some looks at its control hang. */
function staleOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x57a1e);
  const isRate = random() < 0.5;
  let limit = 40;
  const steer = Array.from({ length: 4 }, (_, n) => {
    limit = Math.max(2, Math.floor(limit / 3));
    const act: Limits = isRate ? { rate: perSecond(limit) } : { maxConcurrency: limit };
    return { afterMs: 4_000 + 7_000 * n + random() * 4_000, act };
  });
  return {
    task: waits,
    items: Array.from({ length: 3_000 }, () => ({ ms: 500 + random() * 1_000 })),
    seed,
    workers,
    options: { limits: isRate ? { rate: perSecond(40) } : { maxConcurrency: 40 }, timeoutMs: 4_000 },
    wait: false,
    steer: [...steer, { afterMs: 45_000, act: isRate ? { rate: perSecond(200) } : { maxConcurrency: 200 } }],
    faults: { odds: { 's3-hang': 0.06 }, fromMs: 3_000, forMs: 40_000 },
  };
}

/** A run of one seat whose holders stand still for longer than their leases, or end soon, while bells come twice. */
function rivalsOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x41f4);
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const limits: Limits = random() < 0.7 ? { maxConcurrency: 1 + Math.floor(random() * 4) } : { rate: perSecond(2) };
  return {
    task: waits,
    items: Array.from({ length: 150 }, () => ({ ms: 1_000 + random() * 2_900 })),
    seed,
    workers,
    options: { limits, timeoutMs: 4_000 },
    wait: false,
    faults: {
      odds: pick([
        { freeze: 0.7, duplicate: 0.5, 's3-slow': 0.5 },
        { 's3-hang': 0.04, 'sqs-hang': 0.04 },
        { deadline: 1, duplicate: 0.3 },
      ]),
      fromMs: 3_000,
      forMs: 200_000,
      longestMs: 150_000,
    },
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
  if (paused) steer.push({ afterMs: at + 20_000, act: 'resume' });
  return {
    task: waits,
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
    's3-hang',
  ];
  for (const kind of kinds) {
    if (random() < 0.35) odds[kind] = /at-call|^s3/.test(kind) ? 0.02 : 0.3;
  }
  return { odds, forMs: 60_000, longestMs: 60_000 };
}

/** A run whose rate one worker cannot carry for its long calls, tuned again and again while S3 is slow. */
function growsOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x6a075);
  const of = (): Limits => ({ rate: perSecond(90 + Math.floor(random() * 60)) });
  let at = 0;
  const steer = Array.from({ length: 14 }, () => {
    at += 1_000 + Math.floor(random() * 9_000);
    return { afterMs: at, act: of() };
  });
  return {
    task: waits,
    items: Array.from({ length: 3_500 }, () => ({ ms: 8_000 })),
    seed,
    workers,
    options: { limits: of(), timeoutMs: 9_000 },
    wait: false,
    steer,
    faults: { odds: { 's3-slow': 0.3 }, fromMs: 5_000, forMs: 150_000 },
  };
}

/** A run of one seat that is handed over again and again, at a pace at which each start is seen. */
function distanceOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0xd157);
  const rate = perSecond([0.5, 2, 10, 20][Math.floor(random() * 4)] ?? 1);
  return {
    task: waits,
    items: Array.from({ length: Math.ceil(rate.limit * 120) }, () => ({ ms: 50 + random() * 500 })),
    seed,
    workers,
    options: { limits: { rate }, timeoutMs: 1_000 },
    wait: false,
    steer: [10, 30, 50].flatMap((s) => [
      { afterMs: s * 1_000 + random() * 9_000, act: 'pause' as const },
      { afterMs: s * 1_000 + 9_000 + random() * 9_000, act: 'resume' as const },
    ]),
    faults: { odds: { deadline: 1 }, forMs: 300_000 },
  };
}

/** A run of one seat whose holders die again and again, so that much of it runs in children. */
function dyingOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0xd1e);
  const rate = perSecond([20, 5, 100][Math.floor(random() * 3)] ?? 1);
  return {
    task: waits,
    items: Array.from({ length: Math.ceil(rate.limit * 60) }, () => ({ ms: 50 + random() * 500 })),
    seed,
    workers,
    options: { limits: { rate }, timeoutMs: 1_000 },
    wait: false,
    // Whose number of seats is known from the first moment on.
    steer: [{ afterMs: 0, act: { rate } }],
    faults: { odds: { kill: 0.7 }, forMs: 120_000 },
  };
}

/** A run that nothing befalls, longer than an invocation of a worker. */
function longOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x104);
  return {
    task: waits,
    items: Array.from({ length: 400 }, () => ({ ms: 1_000 + random() * 6_000 })),
    seed,
    workers: 2,
    options: { limits: { maxConcurrency: 3 }, timeoutMs: 8_000 },
    wait: false,
  };
}

/** A run of few calls whose holders end soon, and most of whose bells are lost. */
function lostBellsOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0xbe11);
  return {
    task: waits,
    items: Array.from({ length: 600 }, () => ({ ms: 200 + random() * 800 })),
    seed,
    workers,
    options: { limits: { maxConcurrency: 2 }, timeoutMs: 2_000 },
    wait: false,
    followed: false,
    faults: { odds: { 'lost-send': 0.6, deadline: 1 }, forMs: 300_000 },
  };
}

/** A run of one seat to which two are called at once while S3 is slow, again and again. */
function claimsOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0xc1a1);
  return {
    task: waits,
    items: Array.from({ length: 150 }, () => ({ ms: 200 + random() * 1_500 })),
    seed,
    workers,
    options: { limits: { maxConcurrency: 1 + Math.floor(random() * 3) }, timeoutMs: 2_000 },
    wait: false,
    faults: { odds: { duplicate: 1, 's3-slow': 0.4, deadline: 1 }, forMs: 200_000 },
  };
}

/** A run of one seat whose holders end soon, each with long calls under way, some of them by a fault. */
function partingOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x9a47);
  const odds =
    random() < 0.3
      ? {}
      : { kill: 0.2, freeze: 0.15, duplicate: 0.3, 's3-slow': 0.15, 's3-hang': 0.01, 'lost-send': 0.1 };
  return {
    task: waits,
    items: Array.from({ length: 250 }, () => ({ ms: 2_000 + random() * 7_500 })),
    seed,
    workers,
    options: { limits: { maxConcurrency: 1 + Math.floor(random() * 12) }, timeoutMs: 10_000 },
    wait: false,
    faults: { odds: { deadline: 1, ...odds }, forMs: 600_000, longestMs: 60_000 },
  };
}

/** Runs that limits are held to, each made of a seed. */
export const runsOf = {
  moves: movesOf,
  stale: staleOf,
  rivals: rivalsOf,
  distance: distanceOf,
  dying: dyingOf,
  long: longOf,
  grows: growsOf,
  parting: partingOf,
  lostBells: lostBellsOf,
  claims: claimsOf,
  chaos: chaosOf,
} as const;

/** Runs one, and tells every promise that it broke. */
export async function brokenIn(options: SimulationOptions): Promise<readonly string[]> {
  try {
    const run = await simulate(options);
    const expected = { items: options.items.length, cancelled: false, endsWithinMs: 30 * 60_000, row: () => undefined };
    const failed = run.rows.filter(({ status }) => status !== 'succeeded');
    return [
      ...[...brokenBy(run, options), ...check(run, expected)].map(({ rule, what }) => `${rule}: ${what}`),
      ...failed.map(({ index, status }) => `every item succeeds: item ${index} ${status}`),
    ];
  } catch (error) {
    if (error instanceof SimulationStuck) return [`the job ends: ${error.message}`];
    throw error;
  }
}
