import type { SteerDeps } from '../../client/steer.ts';
import { lastTick, readManifest, readSummary } from '../../folder/read.ts';
import { SettledChunks, type SettledCount } from '../../folder/settled-chunks.ts';
import type { Manifest } from '../../format/manifest.ts';
import type { Summary } from '../../format/summary.ts';
import type { TickRecord } from '../../format/tick.ts';
import { sendDueTick } from '../../job/due-tick.ts';
import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';
import { sleep } from '../../waiting.ts';
import { Pace } from '../view/pace.ts';
import type { Progress, ProgressView } from '../view/progress.ts';

/** Looks follow each other quickly at first, so that a small job is not kept waiting, then about every second. */
const firstLookMs = 100;
const lookMs = 1_000;
const slowdown = 1.5;
/** When all is settled only the summary is missing, and somebody waits for it. */
const endLookMs = 200;
/** A due tick that was sent is given this long before it is sent again. */
const sendAgainMs = 5_000;

/**
 * Follows a job to its end and answers its summary; sends the tick that is overdue, so a job that was left alone moves again.
 *
 * @throws UsageError `JobNotFound`; the signal's reason when it is aborted
 */
export async function followJob(
  deps: SteerDeps,
  jobId: string,
  options: { readonly view: ProgressView; readonly signal: AbortSignal },
): Promise<Summary> {
  const { store, clock } = deps;
  const manifest = await requireManifest(deps, jobId);
  const settled = new SettledChunks(store, jobId);
  const pace = new Pace();
  let waitMs = firstLookMs;
  let sentAt = Number.NEGATIVE_INFINITY;
  try {
    while (true) {
      const summary = await readSummary(store, jobId);
      if (summary !== undefined) return summary;
      const [now, count, tick] = [clock.now(), await settled.refresh(), await lastTick(store, jobId)];
      if (count.of !== undefined) pace.add(now, count.items);
      options.view.update(progressOf(manifest, { now, count, tick, pace }));
      const complete = count.of !== undefined && count.chunks === count.of.chunks;
      if ((complete || isOverdue(tick, manifest, now)) && now - sentAt >= sendAgainMs) {
        await sendDueTick(deps, jobId);
        sentAt = now;
      }
      await sleep(clock, complete ? endLookMs : waitMs, options.signal);
      waitMs = Math.min(lookMs, waitMs * slowdown);
    }
  } finally {
    options.view.end();
  }
}

/** A job's manifest. @throws UsageError `JobNotFound` */
export async function requireManifest(deps: Pick<SteerDeps, 'store'>, jobId: string): Promise<Manifest> {
  const manifest = await readManifest(deps.store, jobId);
  if (manifest !== undefined) return manifest;
  throw new UsageError('JobNotFound', `expected the id of a job, got "${jobId}"; "fanloop jobs" lists them`);
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
    readonly count: SettledCount;
    readonly tick: TickRecord | undefined;
    readonly pace?: Pace;
  },
): Progress {
  const { now, count, tick, pace } = seen;
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
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(remainingMs === undefined ? {} : { remainingMs }),
  };
}
