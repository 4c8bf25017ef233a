import type { Digest } from '../format/digest.ts';
import { type StopLimits, toleratedFailures } from './stops.ts';

/** A job that stops at a count is looked at each second when it gets there within this time. */
const nearMs = 6_000;

/** What had settled at some instant. */
interface Settled {
  readonly totals: Pick<Digest, 'succeeded' | 'failed' | 'nanoUsd'>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Whether a job soon gets to a count at which it stops, at the pace since the last turn. */
export function isNearStop(
  limits: StopLimits,
  last: Settled | undefined,
  now: Settled & { readonly items: number },
): boolean {
  if (last === undefined) return false;
  const had = leftOf(limits, last.totals, now.items);
  return leftOf(limits, now.totals, now.items).some((left, n) => {
    const used = (had[n] ?? 0) - left;
    return used > 0 && (left * (now.at - last.at)) / used <= nearMs;
  });
}

/** What is left of each total until the job stops; infinite where it may be any. */
function leftOf(limits: StopLimits, totals: Settled['totals'], items: number): readonly number[] {
  const { minSuccessful = Number.POSITIVE_INFINITY, budgetUsd = Number.POSITIVE_INFINITY } = limits;
  const tolerated = toleratedFailures(limits, items) ?? Number.POSITIVE_INFINITY;
  // The one more that ends the job is in it.
  return [minSuccessful - totals.succeeded, tolerated + 1 - totals.failed, budgetUsd - totals.nanoUsd / 1e9];
}
