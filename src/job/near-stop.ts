import { leftToStop, type StopCounts, stopCounts } from '../format/left-to-stop.ts';
import type { JobLimits } from '../task/job-limits.ts';

/** A job that stops at a count is looked at each second when it gets there within this time. */
const nearMs = 6_000;

/** What had settled at some instant. */
interface Settled {
  readonly totals: StopCounts;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Whether a job soon gets to a count at which it stops, at the pace since the last turn. */
export function isNearStop(
  limits: JobLimits,
  last: Settled | undefined,
  now: Settled & { readonly items: number },
): boolean {
  if (last === undefined) return false;
  const had = leftToStop(limits, last.totals, now.items);
  const left = leftToStop(limits, now.totals, now.items);
  return stopCounts.some((name) => {
    const used = had[name] - left[name];
    return used > 0 && (left[name] * (now.at - last.at)) / used <= nearMs;
  });
}
