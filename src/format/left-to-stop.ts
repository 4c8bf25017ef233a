import type { JobLimits } from '../task/job-limits.ts';
import type { Digest } from './digest.ts';

/** What is counted of a job that stops at some count. */
export type StopCounts = Pick<Digest, 'succeeded' | 'failed' | 'nanoUsd'>;

/** The most failures that are tolerated; undefined where any number is, or the percentage is of an unknown whole. */
export function toleratedFailures(
  limits: Pick<JobLimits, 'toleratedFailureCount' | 'toleratedFailurePercentage'>,
  items: number | undefined,
): number | undefined {
  const { toleratedFailureCount: most, toleratedFailurePercentage: percentage } = limits;
  const ofAll = percentage === undefined || items === undefined ? undefined : Math.floor((items * percentage) / 100);
  return most === undefined || ofAll === undefined ? (most ?? ofAll) : Math.min(most, ofAll);
}

/** What is left of each count until the job stops, all `items` known; infinite where it may be any. Compute costs little beside what tasks report. */
export function leftToStop(limits: JobLimits, counts: StopCounts, items: number | undefined): StopCounts {
  const { minSuccessful = Number.POSITIVE_INFINITY, budgetUsd = Number.POSITIVE_INFINITY } = limits;
  const tolerated = toleratedFailures(limits, items) ?? Number.POSITIVE_INFINITY;
  return {
    succeeded: minSuccessful - counts.succeeded,
    // The one more that ends the job is in it.
    failed: tolerated + 1 - counts.failed,
    nanoUsd: 1e9 * budgetUsd - counts.nanoUsd,
  };
}

/** The counts at which a job may stop. */
export const stopCounts = ['succeeded', 'failed', 'nanoUsd'] as const satisfies ReadonlyArray<keyof StopCounts>;
