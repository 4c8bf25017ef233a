import type { Manifest } from '../format/manifest.ts';
import { jobsPrefix } from '../format/paths.ts';
import { BrokenRecord, isNewerVersion } from '../format/record.ts';
import type { Summary } from '../format/summary.ts';
import type { ObjectStore } from '../ports.ts';
import { readJobSummary } from './passes.ts';
import { readManifest } from './read.ts';

/** A job as a listing shows it: what it is and how it ended, or why its records cannot be read. */
export type ListedJob =
  | { readonly jobId: string; readonly manifest: Manifest; readonly summary: Summary | undefined }
  | { readonly jobId: string; readonly manifest?: undefined; readonly problem: string };

/** Jobs, newest first, with their summary when they have ended, all passes counted as one; those that only newer code can read are left out. */
export async function* listJobs(
  store: ObjectStore,
  options: { readonly limit?: number } = {},
): AsyncGenerator<ListedJob> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let startAfter = jobsPrefix;
  while (left > 0) {
    const [key] = await store.list(jobsPrefix, { startAfter, limit: 1 });
    if (key === undefined) return;
    const jobId = key.slice(jobsPrefix.length).split('/')[0] ?? '';
    // Skips the rest of this job's folder: `~` sorts behind every name in it.
    startAfter = `${jobsPrefix}${jobId}/~`;
    const found = await readJob(store, jobId);
    if (found === undefined) continue;
    yield found;
    left--;
  }
}

async function readJob(store: ObjectStore, jobId: string): Promise<ListedJob | undefined> {
  try {
    const [manifest, summary] = await Promise.all([readManifest(store, jobId), readJobSummary(store, jobId)]);
    return manifest === undefined ? undefined : { jobId, manifest, summary };
  } catch (error) {
    if (isNewerVersion(error)) return undefined;
    if (error instanceof BrokenRecord) return { jobId, problem: error.message };
    throw error;
  }
}
