import type { Digest } from './digest.ts';

/** The CloudWatch metrics that the functions count, each in whole numbers. */
export const metricNames = {
  jobsStarted: 'JobsStarted',
  jobsEnded: 'JobsEnded',
  jobsStalled: 'JobsStalled',
  itemsSucceeded: 'ItemsSucceeded',
  itemsFailed: 'ItemsFailed',
  itemsCancelled: 'ItemsCancelled',
  deadLetters: 'DeadLetters',
} as const;

/** Where the metrics are in CloudWatch: one namespace, and one dimension that names whose they are. */
export const metricNamespace = 'Fanloop';
export const metricDimension = 'Jobs';

/** Counts of metrics by name: the field `metrics` of a logged line. */
export type MetricCounts = Readonly<Partial<Record<(typeof metricNames)[keyof typeof metricNames], number>>>;

type Settled = Pick<Digest, 'succeeded' | 'failed' | 'cancelled'>;

/** What a turn counts: the items that have settled since the turn before, and whether the job has ended with it. */
export function settledMetrics(before: Settled, after: Settled, hasEnded: boolean): MetricCounts {
  return {
    [metricNames.itemsSucceeded]: after.succeeded - before.succeeded,
    [metricNames.itemsFailed]: after.failed - before.failed,
    [metricNames.itemsCancelled]: after.cancelled - before.cancelled,
    [metricNames.jobsEnded]: hasEnded ? 1 : 0,
  };
}
