import { mapBounded } from '../concurrency.ts';
import { listJobs } from '../folder/list-jobs.ts';
import { newestFolder } from '../folder/passes.ts';
import { readSummary } from '../folder/read.ts';
import { markRunning, requestedJob, runningJobs, unmarkRunning } from '../folder/running.ts';
import { type Control, controlFormat } from '../format/manifest.ts';
import { controlKey, type JobFolder, manifestKey, markersKey, summaryKey } from '../format/paths.ts';
import { sendDueTick } from '../job/due-tick.ts';
import type { ObjectStore } from '../ports.ts';
import { beginAsked, noSuchJob } from './begin.ts';
import type { SteerDeps } from './stack.ts';

/**
 * Asks that a job be cancelled: workers abort its calls within some seconds, what has not settled ends as `cancelled`.
 *
 * @throws UsageError `JobNotFound` when there is no such job.
 */
export async function cancelJob(deps: SteerDeps, jobId: string, by: string): Promise<'cancelling' | 'ended'> {
  const { store, clock } = deps;
  const begun = await store.head(manifestKey(jobId));
  if (begun === undefined && (await requestedJob(store, jobId)) === undefined) throw noSuchJob(jobId);
  const folder = await newestFolder(store, jobId);
  while (true) {
    if ((await readSummary(store, folder)) !== undefined) return 'ended';
    const current = await store.get(controlKey(folder));
    const before = current === undefined ? undefined : controlFormat.parse(current.body);
    if (before?.state !== 'cancelled') {
      const control: Control = {
        state: 'cancelled',
        revision: (before?.revision ?? 0) + 1,
        at: new Date(clock.now()).toISOString(),
        by,
      };
      const condition = current === undefined ? ({ ifAbsent: true } as const) : { ifMatch: current.etag };
      if ((await store.put(controlKey(folder), controlFormat.encode(control), { condition })) === undefined) continue;
    }
    // A job that never began begins cancelled, so that each of its items has an outcome.
    if (begun !== undefined || (await beginAsked(deps, jobId)) === 'none') await sendDueTick(deps, folder);
    return 'cancelling';
  }
}

/**
 * Moves each job that has not ended: a tick sends its unsettled chunks again, for queues that lost their messages; what was asked for
 * and never began is asked for again. A job that cannot be moved, as one of newer code, keeps nobody from starting.
 */
export async function resumeJobs(deps: SteerDeps): Promise<number> {
  await markOldJobs(deps.store);
  const late = new AbortController();
  const cancel = deps.clock.after(resumeMs, () => late.abort(new Error('the fan-out took too long')));
  try {
    const resumed = await mapBounded(await runningJobs(deps.store), parallel, (folder) =>
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

/** Gives the unfinished jobs of an older version their markers, once for a bucket. */
async function markOldJobs(store: ObjectStore): Promise<void> {
  if ((await store.head(markersKey)) !== undefined) return;
  for await (const { manifest, summary } of listJobs(store)) {
    if (summary === undefined) await markRunning(store, manifest.jobId);
  }
  await store.put(markersKey, JSON.stringify({ v: 1 }));
}
