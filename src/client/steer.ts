import { listJobs, readSummary } from '../folder/read.ts';
import type { Control } from '../format/manifest.ts';
import { controlKey, manifestKey } from '../format/paths.ts';
import { sendDueTick } from '../job/due-tick.ts';
import type { Clock, ObjectStore, Queue } from '../ports.ts';
import { UsageError } from '../task/errors.ts';

/** What steering a job from outside needs. */
export interface SteerDeps {
  readonly store: ObjectStore;
  readonly tickQueue: Queue;
  readonly clock: Clock;
}

/**
 * Asks that a job be cancelled: workers abort its calls within some seconds, what has not settled ends as `cancelled`.
 *
 * @throws UsageError `JobNotFound` when there is no such job.
 */
export async function cancelJob(deps: SteerDeps, jobId: string, by: string): Promise<'cancelling' | 'ended'> {
  const { store, clock } = deps;
  if ((await store.head(manifestKey(jobId))) === undefined) {
    throw new UsageError('JobNotFound', `expected the id of a job, got "${jobId}"; "fanloop jobs" lists them`);
  }
  while (true) {
    if ((await readSummary(store, jobId)) !== undefined) return 'ended';
    const current = await store.get(controlKey(jobId));
    // The object was written by this function.
    const before = current === undefined ? undefined : (JSON.parse(new TextDecoder().decode(current.body)) as Control);
    if (before?.state !== 'cancelled') {
      const control: Control = {
        state: 'cancelled',
        revision: (before?.revision ?? 0) + 1,
        at: new Date(clock.now()).toISOString(),
        by,
      };
      const condition = current === undefined ? ({ ifAbsent: true } as const) : { ifMatch: current.etag };
      if ((await store.put(controlKey(jobId), JSON.stringify(control), { condition })) === undefined) continue;
    }
    await sendDueTick(deps, jobId);
    return 'cancelling';
  }
}

/** Sends for each job that has not ended a tick which sends its unsettled chunks again: for queues that lost their messages. */
export async function resumeJobs(deps: SteerDeps): Promise<number> {
  let resumed = 0;
  for await (const { manifest, summary } of listJobs(deps.store)) {
    if (summary !== undefined) continue;
    await sendDueTick(deps, manifest.jobId, { resend: true });
    resumed++;
  }
  return resumed;
}
