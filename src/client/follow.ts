import { controlOf } from '../folder/control.ts';
import { costSoFar } from '../folder/cost.ts';
import { readJobSummary, readPasses } from '../folder/passes.ts';
import { lastTick, readControl, readManifest, readSummary } from '../folder/read.ts';
import { requestedJob } from '../folder/running.ts';
import { SettledChunks, type SettledCount } from '../folder/settled-chunks.ts';
import type { Control } from '../format/control.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import type { FanOutAnswer } from '../format/request.ts';
import type { Summary } from '../format/summary.ts';
import type { TickRecord } from '../format/tick.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { limits } from '../limits.ts';
import type { ObjectStore } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { needsSeats } from '../task/job-limits.ts';
import { sleep } from '../waiting.ts';
import { beginAsked, noSuchJob } from './begin.ts';
import { readBrake } from './brake.ts';
import { KnownFolder } from './known-folder.ts';
import { Pace } from './pace.ts';
import { patiently } from './patience.ts';
import type { Progress } from './progress.ts';
import type { SteerDeps } from './stack.ts';
import { Wake } from './wake.ts';

/**
 * Looks follow each other quickly at first, so that a small job is not kept waiting, then about every second. A look is two LISTs,
 * $0.036 an hour at that pace, more than the calls of a slow job: who follows a long job looks every hundredth of its time so far.
 * https://aws.amazon.com/s3/pricing/
 */
const firstLookMs = 100;
const lookMs = 1_000;
const lookShare = 0.01;
const longestLookMs = 10_000;
const slowdown = 1.5;
/** When all is settled only the summary is missing, and somebody waits for it. */
const endLookMs = 200;
/** A due tick that was sent is given this long before it is sent again. */
const sendAgainMs = 5_000;

/** What somebody who follows a job sees at one look. */
export interface Look {
  readonly progress: Progress;
  readonly settled: SettledCount;
}

/** How a job is followed. */
export interface FollowOptions {
  readonly signal: AbortSignal;
  /** What the fan-out will answer that is still at work on the job: it may bring the summary. */
  readonly answer?: Promise<FanOutAnswer> | undefined;
  /** One more look is taken when the summary stands, so that no chunk which has settled is missed. @default false */
  readonly toTheLast?: boolean;
}

/**
 * Follows a job to its end, look by look, and returns its summary; sends the tick that is overdue, so a job that was left alone
 * moves again.
 *
 * S3 and SQS that refuse everything for 10 minutes end nobody's waiting.
 *
 * @throws UsageError `JobNotFound`; the signal's reason when it is aborted
 */
export async function* followJob(
  deps: SteerDeps,
  jobId: string,
  { signal, answer, toTheLast = false }: FollowOptions,
): AsyncGenerator<Look, Summary> {
  const { store, clock } = deps;
  const alarm = new AbortController();
  let answered: Summary | undefined;
  let fanOutWorks = answer !== undefined;
  let leftAt = Number.POSITIVE_INFINITY;
  const settle = (summary?: Summary): void => {
    answered = summary;
    fanOutWorks = false;
    leftAt = clock.now();
    alarm.abort();
  };
  answer?.then(
    (given) => settle(given.state === 'done' ? given.summary : undefined),
    () => settle(),
  );
  // A small job's answer is there already, or comes at once: looks would take longer than the job.
  await (answer === undefined ? null : pause(deps, firstLookMs, { signal, early: alarm.signal }));
  if (answered !== undefined && !toTheLast) return answered;
  const ask = <Value>(act: () => Promise<Value>): Promise<Value> => patiently({ clock, signal }, act);
  const passes = await ask(() => readPasses(store, jobId));
  const known = passes.at(-1) ?? (await ask(() => readManifest(store, jobId)));
  if (known === undefined) await beginAsked(deps, jobId, signal);
  const manifest = known ?? (await requireManifest(store, jobId));
  const folder = manifestFolder(manifest);
  using seen = new KnownFolder(deps, folder);
  const settled = new SettledChunks(seen, folder);
  using wake = new Wake(deps.tellStored, folder);
  const pace = new Pace();
  let waitMs = firstLookMs;
  let sentAt = Number.NEGATIVE_INFINITY;
  while (true) {
    signal.throwIfAborted();
    wake.look();
    const summary = answered ?? (await ask(() => readSummary(seen, folder)));
    if (summary !== undefined && !toTheLast) return ask(() => whole(store, summary));
    const now = clock.now();
    const count = await ask(() => settled.refresh());
    const [tick, control] = await ask(() => Promise.all([lastTick(seen, folder), readControl(seen, folder)]));
    if (count.of !== undefined) pace.add(now, count.items);
    const brakedTo = await ask(() => {
      const { table } = control ?? controlOf(manifest);
      // What workers say of refusals is as old as it is: nothing of that is kept in mind.
      return readBrake(needsSeats(table.limits) ? seen : store, folder, {
        table,
        refusals: tick?.totals.refusals ?? 0,
      });
    });
    yield { progress: progressOf(manifest, { now, count, tick, pace, control, brakedTo }), settled: count };
    if (summary !== undefined) return ask(() => whole(store, summary));
    const complete = count.of !== undefined && count.chunks === count.of.chunks;
    // A fan-out that still works on the job writes the summary itself.
    // The turn that would find out that nobody runs it is far away: what the fan-out sent when it left may be lost.
    const isLeft = manifest.inline && tick?.n === 0 && now - leftAt > sendAgainMs;
    const isDue = (complete && !fanOutWorks) || isLeft || isOverdue(tick, manifest, now);
    if (isDue && answered === undefined && now - sentAt >= sendAgainMs) {
      // What has settled was sent, and the first turn of a job that the fan-out runs sends nothing.
      await ask(() => sendDueTick(deps, folder, { effectsDone: complete || isLeft }));
      sentAt = now;
    }
    // The answer may have come during the look.
    if (answered === undefined) {
      const due = wake.after(count.of === undefined ? Number.POSITIVE_INFINITY : count.of.chunks - count.chunks);
      const early = alarm.signal.aborted ? due : AbortSignal.any([due, alarm.signal]);
      await pause(deps, complete ? endLookMs : waitMs, { signal, early });
    }
    waitMs = Math.min(longestWait(now - Date.parse(manifest.createdAt)), waitMs * slowdown);
  }
}

/** The time between two looks at a job that began so long ago. */
const longestWait = (elapsedMs: number): number => Math.min(longestLookMs, Math.max(lookMs, lookShare * elapsedMs));

/** The summary of the folder that was followed, with those of the folders before it; a refused pass is told as such. */
async function whole(store: ObjectStore, last: Summary): Promise<Summary> {
  if (last.pass === undefined || last.end === 'refused') return last;
  return (await readJobSummary(store, last.jobId)) ?? last;
}

/** Waits, or ends early. @throws the signal's reason when it is aborted */
async function pause(
  { clock }: SteerDeps,
  ms: number,
  { signal, early }: { readonly signal: AbortSignal; readonly early: AbortSignal },
): Promise<void> {
  await sleep(clock, ms, AbortSignal.any([signal, early])).catch(() => undefined);
  signal.throwIfAborted();
}

/** A job's manifest. @throws UsageError `JobNotFound` */
export async function requireManifest(store: ObjectStore, jobId: string): Promise<Manifest> {
  const manifest = await readManifest(store, jobId);
  if (manifest !== undefined) return manifest;
  if ((await requestedJob(store, jobId)) === undefined) throw noSuchJob(jobId);
  throw new UsageError(
    'JobNotFound',
    `job ${jobId} was asked for and has not begun; "fanloop watch ${jobId}" begins it`,
  );
}

/** Whether the next turn should have been taken a minute ago: its message is lost, or nobody reads the queue. */
export function isOverdue(tick: TickRecord | undefined, manifest: Manifest, now: number): boolean {
  const due = tick === undefined ? Date.parse(manifest.createdAt) : tick.nextAt;
  return now - due > limits.overdueMs;
}

/** How far a job is, from its settled chunks and its last turn. */
export function progressOf(
  manifest: Manifest,
  seen: {
    readonly now: number;
    readonly count: Pick<SettledCount, 'items' | 'of'>;
    readonly tick: TickRecord | undefined;
    readonly pace?: Pace;
    readonly control?: Control | undefined;
    readonly brakedTo?: number | undefined;
  },
): Progress {
  const { now, count, tick, pace, control, brakedTo } = seen;
  const total = count.of?.items;
  const perSecond = pace?.perSecond;
  const remainingMs = total === undefined ? undefined : pace?.timeFor(total - count.items);
  return {
    jobId: manifest.jobId,
    task: manifest.task,
    items: count.items,
    ...(total === undefined ? {} : { total }),
    read: tick?.cut.items ?? 0,
    elapsedMs: Math.max(0, now - Date.parse(manifest.createdAt)),
    failed: tick?.totals.failed ?? 0,
    retries: tick === undefined ? 0 : tick.totals.attempts - tick.totals.tried,
    refusals: tick?.totals.refusals ?? 0,
    ...(brakedTo === undefined ? {} : { brakedTo }),
    costUsd: tick === undefined ? 0 : costSoFar(tick, manifest.workerMemoryMb),
    ...(tick === undefined || tick.totals.nanoUsd === 0 ? {} : { usedUsd: tick.totals.nanoUsd / 1e9 }),
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(remainingMs === undefined ? {} : { remainingMs }),
    ...(control?.state === 'paused' ? { paused: control.reason } : {}),
  };
}
