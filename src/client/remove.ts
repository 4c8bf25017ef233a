import { mapBounded } from '../concurrency.ts';
import { readJobSummary } from '../folder/passes.ts';
import { unmarkRunning } from '../folder/running.ts';
import { newJobId } from '../format/job-id.ts';
import { jobPrefix, jobsPrefix, manifestKey, runningKey } from '../format/paths.ts';
import { BrokenRecord } from '../format/record.ts';
import type { ObjectStore } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { noSuchJob } from './begin.ts';

/** Objects that are removed at once. */
const parallel = 16;

/**
 * Removes a job that has ended with all its rows. Its manifest goes first: from then on there is no such job, and who was
 * interrupted removes the rest by asking again.
 *
 * @throws UsageError `JobNotFound`; `InvalidRequest` while the job runs
 */
export async function removeJob(store: ObjectStore, jobId: string): Promise<void> {
  const keys = await store.list(jobPrefix(jobId));
  if (keys.includes(manifestKey(jobId)) && !(await hasEnded(store, jobId))) {
    throw new UsageError('InvalidRequest', `job ${jobId} is still running; "fanloop cancel ${jobId}" ends it first`);
  }
  if (keys.length === 0 && (await store.head(runningKey(jobId))) === undefined) throw noSuchJob(jobId);
  await store.delete(manifestKey(jobId));
  await unmarkRunning(store, jobId);
  await mapBounded(keys, parallel, (key) => store.delete(key));
}

/**
 * Removes the jobs that began before a moment and have ended, `most` of them at most; answers their ids.
 * A job that runs stays.
 */
export async function removeOlder(
  store: ObjectStore,
  beforeMs: number,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly string[]> {
  const removed: string[] = [];
  // Ids sort newest first, so that all older ones stand behind the last id of that moment.
  let startAfter = `${jobsPrefix}${newJobId(beforeMs, () => 1 - Number.EPSILON)}/~`;
  while (removed.length < most) {
    const [key] = await store.list(jobsPrefix, { startAfter, limit: 1 });
    if (key === undefined) break;
    const jobId = key.slice(jobsPrefix.length).split('/')[0] ?? '';
    startAfter = `${jobsPrefix}${jobId}/~`;
    const isBegun = (await store.list(manifestKey(jobId), { limit: 1 })).length > 0;
    if (isBegun && !(await hasEnded(store, jobId))) continue;
    await removeJob(store, jobId);
    removed.push(jobId);
  }
  return removed;
}

/** Nothing goes on with a job whose records cannot be read. */
async function hasEnded(store: ObjectStore, jobId: string): Promise<boolean> {
  try {
    return (await readJobSummary(store, jobId)) !== undefined;
  } catch (error) {
    if (error instanceof BrokenRecord) return true;
    throw error;
  }
}
