import * as z from 'zod';
import type { Row } from '../format/outcome.ts';
import type { Random } from '../ports.ts';
import { TaskError } from '../task/errors.ts';
import { defineTask, type Task } from '../task/task.ts';
import { check, type Expected } from './check.ts';
import { type FaultKind, type FaultPlan, faultKinds } from './faults.ts';
import type { History } from './history.ts';
import type { RedriveChoice, SimulatedRedrive } from './passes.ts';
import { ProcessEnd } from './process-end.ts';
import { seededRandom } from './seeded-random.ts';
import { type Simulated, type SimulationOptions, SimulationStuck, simulate } from './simulate.ts';
import type { Violation } from './violation.ts';

const acts = ['ok', 'fail', 'flaky', 'bug', 'endless', 'poison'] as const;
type Act = (typeof acts)[number];

/** An item of a campaign says itself what becomes of it: so the rows have a reference. */
const itemSchema = z.object({ ms: z.number(), act: z.enum(acts), times: z.number() });
type Item = z.infer<typeof itemSchema>;

/** The task of a campaign's jobs. */
export const campaignTask: Task = defineTask({
  description: 'Waits, then does what its item says',
  input: itemSchema,
  example: { ms: 100, act: 'ok', times: 0 },
  run: async ({ ms, act, times }, { attempt, signal, idempotencyKey }) => {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, act === 'endless' ? 2 ** 30 : ms);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    });
    if (act === 'fail') throw new TaskError('no', { code: 'Refused', retryable: false });
    if (act === 'poison') throw new ProcessEnd();
    if (act === 'bug') throw new TypeError('a bug');
    if (act === 'flaky' && attempt <= times) throw new TaskError('not yet', { code: 'Flaky', retryable: true });
    return { key: Number(idempotencyKey.split('/')[1]) };
  },
});

/** One run of a campaign: everything about it follows from its seed. */
export interface Scenario {
  readonly seed: number;
  readonly run: SimulationOptions;
  readonly expected: Expected;
}

/** What is not left to the seed. */
export type Aim = Pick<SimulationOptions, 'followed'> & {
  readonly faults?: FaultPlan;
  readonly workers?: number;
  /** Items. */
  readonly count?: number;
  readonly perWorker?: number;
  /** Whether items run again at the end. @default in a quarter of the runs */
  readonly redriven?: boolean;
};

/** Makes the run of a seed; an aim gives it what it needs to meet a certain place of the code. */
export function scenarioOf(seed: number, aim: Aim = {}): Scenario {
  const random = seededRandom(seed ^ 0x5ce9a210);
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const count = pick([1, 5, 20, 40, 80, 150, 300]);
  const items = itemsOf(random, { count: aim.count ?? count, ms: pick([100, 1_000, 2_500]), poisoned: random() < 0.1 });
  const attempts = pick([1, 2, 3]);
  const cancelAfterMs = random() < 0.15 ? Math.floor(random() * 30_000) : undefined;
  const planned = planOf(random);
  const redrives = redrivesOf(seededRandom(seed ^ 0x9a55), aim.redriven);
  const whole = redrives.length === 0 ? planned : { ...planned, forMs: (planned.forMs ?? 0) + redrivesMs };
  const faults = aim.faults ?? whole;
  const anyWorkers = pick([2, 3, 5]);
  const anyConcurrency = pick([1, 2, 4, 10, 50]);
  const { workers = anyWorkers, perWorker: concurrency = anyConcurrency } = aim;
  const alone = aloneMs(items, { attempts: mostAttempts, concurrency });
  return {
    seed,
    run: {
      task: campaignTask,
      items,
      seed,
      faults,
      workers,
      options: { perWorker: concurrency, timeoutMs, attempts },
      ...(aim.followed !== undefined && { followed: aim.followed }),
      ...(items.length > 25 && random() < 0.1 && { wait: true }),
      ...(cancelAfterMs !== undefined && { cancelAfterMs }),
      ...(redrives.length > 0 && { redrives }),
    },
    expected: {
      items: items.length,
      cancelled: cancelAfterMs !== undefined,
      endsWithinMs: 5 * 60_000 + alone,
      aloneMs: alone,
      row: (row, pass) => problemOf(row, items[row.index], pass.attempts, faults),
    },
  };
}

const timeoutMs = 3_000;
const mostAttempts = 3;
/** Where items run again, faults go on for this time longer. */
const redrivesMs = 150_000;

/** One or two passes over items that failed, each with options of its own or those before. */
function redrivesOf(random: Random, wanted: boolean | undefined): readonly SimulatedRedrive[] {
  const chance = random();
  const passes = 1 + Math.floor(random() * 2);
  if (wanted === false || (wanted === undefined && chance >= 0.25)) return [];
  return Array.from({ length: passes }, () => ({
    ...choiceOf(random),
    ...(random() < 0.25 && { rival: choiceOf(random) }),
  }));
}

function choiceOf(random: Random): RedriveChoice {
  const codes = ['Refused', 'Flaky', 'TypeError', 'Timeout', 'WorkerCrashed'].filter(() => random() < 0.5);
  return {
    ...(random() < 0.5 && codes.length > 0 && { codes }),
    ...(random() < 0.4 && { cancelled: true }),
    ...(random() < 0.4 && { attempts: 1 + Math.floor(random() * mostAttempts) }),
    ...(random() < 0.3 && { sameKey: true }),
  };
}

/** How long the calls of all items take in one worker: a job whose items stand in one chunk has no more of them. */
function aloneMs(
  items: readonly Item[],
  { attempts, concurrency }: { readonly attempts: number; readonly concurrency: number },
): number {
  const ofItem = ({ act, ms, times }: Item): number =>
    act === 'endless' ? attempts * timeoutMs : act === 'flaky' ? Math.min(attempts, times + 1) * ms : ms;
  return items.reduce((sum, item) => sum + ofItem(item), 0) / concurrency;
}

function itemsOf(
  random: Random,
  { count, ms, poisoned }: { readonly count: number; readonly ms: number; readonly poisoned: boolean },
): readonly Item[] {
  const poison = poisoned ? Math.floor(random() * count) : -1;
  return Array.from({ length: count }, (_, n) => {
    const chance = random();
    const act: Act =
      chance < 0.8 ? 'ok' : chance < 0.85 ? 'fail' : chance < 0.95 ? 'flaky' : chance < 0.98 ? 'bug' : 'endless';
    const times = 1 + Math.floor(random() * 2);
    return { ms: Math.floor(random() * ms), act: n === poison ? 'poison' : act, times };
  });
}

/** From one to seven kinds of faults, or none in one of ten. */
function planOf(random: Random): FaultPlan {
  const odds: Partial<Record<FaultKind, number>> = {};
  const kinds = random() < 0.1 ? 0 : 2 + Math.floor(random() * 6);
  for (let n = 0; n < kinds; n++) {
    const among = random() < 0.2 ? rareKinds : faultKinds;
    const kind = among[Math.floor(random() * among.length)] ?? 'kill';
    odds[kind] = oddsOf(kind, random);
  }
  return { odds, forMs: 20_000 + random() * 120_000, longestMs: 5_000 * 120 ** random() };
}

/** What happens at most once in a run, or only to what is sent. */
const rareKinds: readonly FaultKind[] = ['s3-outage', 'sqs-outage', 'lost-send', 'lost-send', 'lost-send'];

function oddsOf(kind: FaultKind, random: Random): number {
  if (/outage|purge/.test(kind)) return 1;
  if (/^(kill|freeze|clock-jump|deadline|lambda-.*)$/.test(kind)) return 0.2 + random() * 0.5;
  if (kind === 'kill-at-call') return 0.005 + random() * 0.03;
  if (/^(duplicate|delayed|lost-send|lost-tick|sqs-partly)$/.test(kind)) return 0.2 + random() * 0.6;
  return 0.01 + random() * 0.1;
}

/** Why a row is none that its item can have; codes of crashes are judged by the checker, which knows who died. */
function problemOf(row: Row, item: Item | undefined, attempts: number, faults: FaultPlan): string | undefined {
  if (item === undefined) return 'there is no such item';
  if (row.status === 'cancelled') return undefined;
  if (row.attempts > attempts && row.status === 'succeeded') return `${row.attempts} attempts of ${attempts}`;
  const code = row.status === 'failed' ? row.error.code : 'ok';
  // Who stands still for longer than an attempt may take has timed out, and used up an attempt.
  if (code === 'Timeout' && faults.odds.freeze !== undefined) return undefined;
  if (code === 'ok' && row.status === 'succeeded' && JSON.stringify(row.value) !== JSON.stringify({ key: row.index }))
    return `the value is ${JSON.stringify(row.value)}`;
  const wanted = {
    ok: 'ok',
    fail: 'Refused',
    bug: 'TypeError',
    endless: 'Timeout',
    poison: 'WorkerCrashed',
    flaky: item.times < attempts ? 'ok' : 'Flaky',
  }[item.act];
  return code === wanted ? undefined : `expected ${wanted}, got ${code}`;
}

/** What a scenario came to. */
export interface ScenarioResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly history: History;
  readonly items: number;
  readonly run?: Simulated;
}

/** Runs one scenario, and holds it to every promise. */
export async function runScenario(scenario: Scenario): Promise<ScenarioResult> {
  const { seed, expected } = scenario;
  const items = expected.items;
  try {
    const run = await simulate(scenario.run);
    return { seed, violations: check(run, expected), history: run.history, items, run };
  } catch (error) {
    if (!(error instanceof SimulationStuck)) throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    return { seed, violations: [{ rule: 'the job ends', what: error.message }], history: error.history, items };
  }
}
