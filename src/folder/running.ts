import { toJson } from '../format/json.ts';
import { markerFormat } from '../format/marker.ts';
import { type JobFolder, type JobRef, runningJob, runningKey, runningPrefix } from '../format/paths.ts';
import type { FanOutRequest } from '../format/request.ts';
import type { ObjectStore } from '../ports.ts';

/** `running/{jobId}`: stands from before the job's first call until its summary, so that nobody walks all jobs to find the unfinished ones. */
export async function markRunning(store: ObjectStore, job: JobRef, request?: FanOutRequest): Promise<void> {
  await store.put(runningKey(job), toJson({ v: 1, ...(request === undefined ? {} : { request }) }) ?? '', {
    condition: { ifAbsent: true },
  });
}

/** Takes the marker away; done after the summary is written, and harmless at any time after that. */
export async function unmarkRunning(store: ObjectStore, job: JobRef): Promise<void> {
  await store.delete(runningKey(job));
}

/** The folders of jobs that have a marker, newest first. */
export async function runningJobs(store: ObjectStore): Promise<readonly JobFolder[]> {
  return (await store.list(runningPrefix)).map(runningJob);
}

/** What a client wanted before the fan-out was asked the first time; undefined where no client has left it. */
export async function requestedJob(store: ObjectStore, job: JobRef): Promise<FanOutRequest | undefined> {
  const marker = await store.get(runningKey(job));
  return marker && markerFormat.parse(marker.body).request;
}
