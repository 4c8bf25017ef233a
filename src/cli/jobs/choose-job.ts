import type { Fanloop } from '../../client/fanloop.ts';
import type { Job } from '../../client/job.ts';
import { isJobId } from '../../format/job-id.ts';
import { UsageError } from '../../task/errors.ts';

/** The job that is meant: the one named, or the newest. @throws UsageError `JobNotFound` */
export async function chooseJob(fanloop: Fanloop, jobId: string | undefined): Promise<Job> {
  if (jobId !== undefined) return fanloop.find(requireJobId(jobId));
  for await (const newest of fanloop.jobs({ limit: 1 })) return fanloop.find(newest);
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
