import { listJobs } from '../../folder/read.ts';
import { isJobId } from '../../format/job-id.ts';
import type { Target } from '../../targets/target.ts';
import { UsageError } from '../../task/errors.ts';

/** The job that is meant: the one named, or the newest. @throws UsageError `JobNotFound` */
export async function chooseJob(target: Target, jobId: string | undefined): Promise<string> {
  if (jobId !== undefined) return requireJobId(jobId);
  for await (const { manifest } of listJobs(target.steer.store, { limit: 1 })) return manifest.jobId;
  throw new UsageError('JobNotFound', 'expected a job, got none so far; "fanloop run" starts one');
}

/** Refuses a text that cannot be a job's id. @throws UsageError `JobNotFound` */
export function requireJobId(jobId: string): string {
  if (isJobId(jobId)) return jobId;
  throw new UsageError(
    'JobNotFound',
    `expected the id of a job (20 letters and digits), got "${jobId}"; "fanloop jobs" lists them`,
  );
}
