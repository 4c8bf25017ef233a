import { digestItems, emptyDigest } from '../format/digest.ts';
import type { Summary } from '../format/summary.ts';
import { limits } from '../limits.ts';
import { perSecondOf } from '../task/rate.ts';
import { type CutInto, chunkSize, countChunks } from './chunk-size.ts';
import { type Cost, estimateCost } from './cost.ts';

/** What is wanted: how much of the kind that a sample was run of, by how many. */
export interface Wanted extends CutInto {
  readonly items: number;
}

/** What a large job will come to, if its items are as those of the sample. */
export interface Forecast {
  readonly items: number;
  readonly chunks: number;
  readonly wallMs: number;
  readonly cost: Cost;
  /** Attempts an item, and what one of them takes. */
  readonly attempts: number;
  readonly callMs: number;
  /** Calls a second that the downstream sees at most. */
  readonly callsPerSecond: number;
  readonly limits: readonly LimitReached[];
}

/** A limit that the job will run into, in one sentence. */
export interface LimitReached {
  readonly code: 'SlowStart' | 'Processor' | 'Downstream' | 'Timeouts' | 'Blocked' | 'Retention' | 'NewAccount';
  readonly message: string;
}

/** What the forecast takes for granted. */
const assumed = {
  /** From the request to the first call: a fan-out, a turn, and a worker start cold. */
  startMs: 1_500,
  /** Items a second of one worker when it waits for nothing: 100 µs of processor each, on the 0.58 of one that 1 GB has. */
  itemsPerSecond: 5_000,
  /** A chunk is open in a worker while it runs, and the next one beside it. */
  openChunks: 2,
  /** The ramp opens slots linearly, or sooner where calls are quick: at most half of its time is lost. */
  rampShare: 0.5,
  /** What a new account may run at once. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  newAccountConcurrency: 10,
  /** The functions beside the workers: fan-out, two turns, dead letters. */
  otherFunctions: 4,
} as const;

/** Scales a sample up. */
export function forecast(sample: Summary, wanted: Wanted): Forecast {
  const { totals } = sample;
  const tried = Math.max(1, totals.tried);
  const perItem = { attempts: totals.attempts / tried, callMs: totals.callMs / tried };
  const chunks = countChunks(chunkSize(wanted), wanted.items);
  const busyWorkers = Math.min(wanted.workers, chunks);
  const { maxConcurrency = Number.POSITIVE_INFINITY, rate } = wanted.limits ?? {};
  const perSecond = rate === undefined ? Number.POSITIVE_INFINITY : perSecondOf(rate);
  const slots = Math.min(wanted.concurrency, maxConcurrency / busyWorkers, Math.ceil(wanted.items / busyWorkers));
  const paceMs = (1_000 * busyWorkers * perItem.attempts) / perSecond;
  const itemMs = Math.max(perItem.callMs / slots, 1_000 / assumed.itemsPerSecond, paceMs);
  const rampMs = slots > limits.rampFloor ? assumed.rampShare * limits.rampMs : 0;
  const runMs = Math.max(perItem.callMs, (wanted.items / busyWorkers) * itemMs) + rampMs;
  const workMs = runMs * busyWorkers;
  const invocations = busyWorkers * Math.ceil(runMs / (1_000 * limits.workerTimeoutSeconds));
  const wallMs = assumed.startMs + runMs;
  const turns = turnsOf(wallMs);
  const open = Math.min(assumed.openChunks, chunks);
  const spent = {
    chunks,
    turns,
    messages: chunks,
    workerMemoryMb: sample.workerMemoryMb,
    totals: {
      ...emptyDigest,
      invocations,
      billedMs: workMs,
      s3Writes: chunks + invocations + (open * workMs) / limits.checkpointMs,
      // The job's manifest and control; each chunk's input and result; control and a rival's result again and again.
      s3Reads: 2 * invocations + 2 * chunks + ((1 + open) * workMs) / limits.controlMs,
      sqsRequests:
        4 * invocations + 2 * chunks + (open * workMs * limits.renewalsPerLease) / (1_000 * limits.leaseSeconds),
    },
  };
  const callMs = perItem.callMs / Math.max(1, perItem.attempts);
  const callsPerSecond = (busyWorkers * 1_000 * perItem.attempts) / itemMs;
  return {
    items: wanted.items,
    chunks,
    wallMs,
    cost: estimateCost(spent),
    attempts: perItem.attempts,
    callMs,
    callsPerSecond,
    limits: limitsReached(sample, wanted, { itemMs, slots, perItemMs: perItem.callMs, wallMs, paceMs }),
  };
}

/** Turns of a job's loop: ever further apart. */
function turnsOf(wallMs: number): number {
  const delays = limits.tickDelaysSeconds;
  let turns = 1;
  for (let at = 0; at < wallMs; turns++) at += 1_000 * (delays[Math.min(turns - 1, delays.length - 1)] ?? 1);
  return turns;
}

function limitsReached(
  { totals }: Summary,
  { workers, concurrency, items }: Wanted,
  run: {
    readonly itemMs: number;
    readonly slots: number;
    readonly perItemMs: number;
    readonly wallMs: number;
    readonly paceMs: number;
  },
): readonly LimitReached[] {
  const found: LimitReached[] = [];
  const says = (code: LimitReached['code'], message: string): void => void found.push({ code, message });
  const refused = (totals.codes['HttpStatus429'] ?? 0) + (totals.codes['HttpStatus503'] ?? 0);
  if (refused > 0)
    says(
      'Downstream',
      `the downstream refused ${refused} of ${digestItems(totals)} items to the end, and fewer calls at once may be more`,
    );
  else if (totals.attempts > 1.1 * totals.tried)
    says(
      'Downstream',
      `an item took ${(totals.attempts / totals.tried).toFixed(2)} attempts; see whether fewer calls at once need fewer`,
    );
  if ((totals.codes['Timeout'] ?? 0) > 0)
    says(
      'Timeouts',
      `${totals.codes['Timeout']} of ${digestItems(totals)} items had no answer in time; --timeout gives them more`,
    );
  if (totals.slowCallbacks > 0)
    says(
      'Blocked',
      `the task kept the event loop busy for up to ${Math.round(totals.slowestMs)} ms; "thread: true" runs it on threads`,
    );
  if (run.itemMs > Math.max(run.perItemMs / run.slots, run.paceMs))
    says(
      'Processor',
      `a worker does about ${assumed.itemsPerSecond} items a second, however short the calls are; more --workers do more`,
    );
  if (items < workers * concurrency && items > 1)
    says('SlowStart', `${items} items do not fill ${workers} × ${concurrency} slots; fewer workers cost less`);
  if (workers + assumed.otherFunctions > assumed.newAccountConcurrency)
    says(
      'NewAccount',
      `${workers} workers need ${workers + assumed.otherFunctions} concurrent executions; a new account has ${assumed.newAccountConcurrency}`,
    );
  if (run.wallMs > limits.retentionDays * 86_400_000)
    says(
      'Retention',
      `SQS keeps a message for ${limits.retentionDays} days, and the job takes longer; more --workers or --concurrency end it sooner`,
    );
  return found;
}
