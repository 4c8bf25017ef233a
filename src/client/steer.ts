import { mapBounded } from '../concurrency.ts';
import { type ControlChange, changeControl, controlOf, tableOf } from '../folder/control.ts';
import { listJobs } from '../folder/list-jobs.ts';
import { newestFolder } from '../folder/passes.ts';
import { readManifest, readSummary } from '../folder/read.ts';
import { markRunning, requestedJob, runningJobs, unmarkRunning } from '../folder/running.ts';
import { type Control, firstControl } from '../format/control.ts';
import { type JobFolder, manifestKey, markersKey, summaryKey } from '../format/paths.ts';
import { sendDueTick } from '../job/due-tick.ts';
import type { ObjectStore } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { type JobLimits, type JobLimitsInput, needsSeats, parseLimits } from '../task/job-limits.ts';
import { beginAsked, noSuchJob } from './begin.ts';
import { requireManifest } from './follow.ts';
import type { SteerDeps } from './stack.ts';

/**
 * Asks that a job be cancelled: workers abort its calls within some seconds, what has not settled ends as `cancelled`.
 *
 * @throws UsageError `JobNotFound` when there is no such job.
 */
export async function cancelJob(deps: SteerDeps, jobId: string, by: string): Promise<'cancelling' | 'ended'> {
  const { store } = deps;
  const begun = await store.head(manifestKey(jobId));
  if (begun === undefined && (await requestedJob(store, jobId)) === undefined) throw noSuchJob(jobId);
  const folder = await newestFolder(store, jobId);
  if ((await readSummary(store, folder)) !== undefined) return 'ended';
  const first = begun === undefined ? firstControl({ limits: {}, seats: 1 }) : undefined;
  await change(deps, { folder, by, first }, ({ state }) =>
    state === 'cancelled' ? undefined : { state: 'cancelled', reason: 'user' },
  );
  // A job that never began begins cancelled, so that each of its items has an outcome.
  if (begun !== undefined || (await beginAsked(deps, jobId)) === 'none') await sendDueTick(deps, folder);
  return 'cancelling';
}

/**
 * Asks that a job pause: nothing of it starts any more within 3 s, what runs ends, and its rows are kept.
 *
 * @throws UsageError `JobNotFound`, `InvalidRequest` when it has ended or is being cancelled
 */
export async function pauseJob(deps: SteerDeps, jobId: string, by: string): Promise<Control> {
  const { control } = await steer(deps, { jobId, by }, ({ state }) =>
    state === 'paused' ? undefined : { state: 'paused', reason: 'user' },
  );
  return control;
}

/** Lets a job that pauses go on, whatever it paused for. @throws as {@link pauseJob} */
export async function unpauseJob(deps: SteerDeps, jobId: string, by: string): Promise<Control> {
  const { control, folder } = await steer(deps, { jobId, by }, ({ state, reason, generation }) =>
    state === 'paused'
      ? {
          state: 'running',
          reason: 'user',
          generation: generation + 1,
          ...(reason === 'canary' ? { passed: true } : {}),
        }
      : undefined,
  );
  // What was in hand when it paused is sent again.
  await sendDueTick(deps, folder, { resend: true, guard: true });
  return control;
}

/**
 * Changes limits of a job while it runs; `null` takes one away, and those that are not named stay.
 *
 * @throws as {@link pauseJob}
 */
export async function tuneJob(deps: SteerDeps, jobId: string, by: string, change: TuneOptions): Promise<Control> {
  const manifest = await requireManifest(deps.store, jobId);
  const { control, folder } = await steer(deps, { jobId, by }, ({ table, generation }) => {
    const limits = tuned(table.limits, change);
    const changesWay = needsSeats(limits) !== needsSeats(table.limits);
    return { table: tableOf(limits, manifest), ...(changesWay ? { generation: generation + 1 } : {}) };
  });
  await sendDueTick(deps, folder);
  return control;
}

/** Limits to change; `null` takes one away. */
export type TuneOptions = { readonly [Name in keyof JobLimitsInput]?: JobLimitsInput[Name] | null | undefined };

/** @throws UsageError `InvalidOptions` that names the limit which does not fit */
function tuned(limits: JobLimits, change: TuneOptions): JobLimits {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  const gone = new Set(named.filter(([, value]) => value === null).map(([name]) => name));
  const given = parseLimits(Object.fromEntries(named.filter(([, value]) => value !== null)));
  return Object.fromEntries(Object.entries({ ...limits, ...given }).filter(([name]) => !gone.has(name)));
}

async function steer(
  deps: SteerDeps,
  at: { readonly jobId: string; readonly by: string },
  wanted: ControlChange,
): Promise<{ readonly control: Control; readonly folder: JobFolder }> {
  const { jobId, by } = at;
  await requireManifest(deps.store, jobId);
  const folder = await newestFolder(deps.store, jobId);
  if ((await readSummary(deps.store, folder)) !== undefined) {
    throw new UsageError('InvalidRequest', `expected a job that goes on, got ${jobId}, which has ended`);
  }
  const control = await change(deps, { folder, by, first: undefined }, (stands) => {
    if (stands.state !== 'cancelled') return wanted(stands);
    throw new UsageError('InvalidRequest', `expected a job that goes on, got ${jobId}, which is being cancelled`);
  });
  return { control, folder };
}

async function change(
  { store, clock }: SteerDeps,
  at: { readonly folder: JobFolder; readonly by: string; readonly first: Control | undefined },
  wanted: ControlChange,
): Promise<Control> {
  const { folder, by } = at;
  const manifest = at.first === undefined ? await readManifest(store, folder) : undefined;
  const first = at.first ?? (manifest === undefined ? firstControl({ limits: {}, seats: 1 }) : controlOf(manifest));
  return changeControl({ store, now: () => clock.now() }, { job: folder, first, by }, wanted);
}

/**
 * Moves each job that has not ended: a tick sends its unsettled chunks again, for queues that lost their messages; what was asked for
 * and never began is asked for again. A job that cannot be moved, as one of newer code, keeps nobody from starting.
 */
export async function resumeJobs(deps: SteerDeps): Promise<number> {
  const folders = await unfinishedJobs(deps.store);
  const late = new AbortController();
  const cancel = deps.clock.after(resumeMs, () => late.abort(new Error('the fan-out took too long')));
  try {
    const resumed = await mapBounded(folders, parallel, (folder) =>
      resumeJob(deps, folder, late.signal).catch(() => false),
    );
    return resumed.filter((went) => went).length;
  } finally {
    cancel();
    // What the fan-out was asked for stands; its answers are for nobody.
    late.abort(new Error('the jobs that were left go on'));
  }
}

async function resumeJob(deps: SteerDeps, folder: JobFolder, signal: AbortSignal): Promise<boolean> {
  const { store } = deps;
  if ((await store.head(summaryKey(folder))) !== undefined) {
    await unmarkRunning(store, folder);
    return false;
  }
  const begun = await begin(deps, folder, signal);
  if (begun === 'stands') await sendDueTick(deps, folder, { resend: true });
  // The fan-out of a caller of its own died before anything of the job stood.
  if (begun === 'none') await unmarkRunning(store, folder);
  return begun !== 'none';
}

/** Nobody who starts waits longer than this for jobs that never began. */
const resumeMs = 5_000;

/** A pass that never began is chosen anew by whoever wants it. */
async function begin(deps: SteerDeps, folder: JobFolder, signal: AbortSignal): Promise<'began' | 'stands' | 'none'> {
  if (folder.pass === 0) return beginAsked(deps, folder.id, signal);
  return (await deps.store.head(manifestKey(folder))) === undefined ? 'none' : 'stands';
}

/** Jobs that are asked about at once. */
const parallel = 8;

/** Asks nothing of jobs that have ended, however many there are. */
async function unfinishedJobs(store: ObjectStore): Promise<readonly JobFolder[]> {
  const [folders, areMarked] = await Promise.all([runningJobs(store), store.head(markersKey)]);
  if (areMarked !== undefined) return folders;
  await markOldJobs(store);
  return runningJobs(store);
}

/** Gives the unfinished jobs of an older version their markers, once for a bucket. */
async function markOldJobs(store: ObjectStore): Promise<void> {
  for await (const job of listJobs(store)) {
    if (job.manifest !== undefined && job.summary === undefined) await markRunning(store, job.jobId);
  }
  await store.put(markersKey, JSON.stringify({ v: 1 }));
}
