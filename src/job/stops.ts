import { toleratedFailures } from '../format/left-to-stop.ts';

/** Totals at which a job ends or pauses by itself; absent is never. */
export interface StopLimits {
  /** Failed items that are tolerated: one more ends the job. */
  readonly toleratedFailureCount?: number;
  /** The same as a part of all items, 0 to 100. */
  readonly toleratedFailurePercentage?: number;
  /** Succeeded items with which the job has what it was for. */
  readonly minSuccessful?: number;
  /** What the job may cost, in US dollars. */
  readonly budgetUsd?: number;
  /** Items that run first, and are judged before any other starts. */
  readonly canary?: number;
  /** Whether somebody has to look at the canary in any case. */
  readonly canaryWait?: boolean;
  /** Percentage of failures at which a job pauses. */
  readonly breaker?: number;
}

/** What a turn knows of its job: what has settled, and what the workers report beyond that. */
export interface StopTotals {
  /** All items; absent while the input is being counted. */
  readonly items?: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly usd: number;
  /** Of the canary's items; absent once it has passed. */
  readonly canary?: { readonly settled: number; readonly failed: number };
}

/** What is to become of a job: it ends, it pauses until somebody resumes it, or its canary has passed and it goes on. */
export type Stop =
  | { readonly kind: 'end'; readonly reason: 'tolerated' | 'succeeded' }
  | { readonly kind: 'pause'; readonly reason: 'budget' | 'canary' }
  | { readonly kind: 'pass' };

/** A canary is judged by this percentage of failures where the job has no breaker. */
export const canaryBreaker = 50;

/**
 * Whether a job has reached one of its stops. Failures come before success, and what ends the job before what pauses it:
 * a job that is to end need not wait for anybody.
 */
export function stopOf(limits: StopLimits, totals: StopTotals): Stop | undefined {
  const tolerated = toleratedFailures(limits, totals.items);
  if (tolerated !== undefined && totals.failed > tolerated) return { kind: 'end', reason: 'tolerated' };
  const { minSuccessful, budgetUsd } = limits;
  if (minSuccessful !== undefined && totals.succeeded >= minSuccessful) return { kind: 'end', reason: 'succeeded' };
  if (budgetUsd !== undefined && totals.usd >= budgetUsd) return { kind: 'pause', reason: 'budget' };
  return canaryOf(limits, totals);
}

function canaryOf(limits: StopLimits, { canary, items }: StopTotals): Stop | undefined {
  if (limits.canary === undefined || canary === undefined || items === undefined) return undefined;
  // A job may have fewer items than its canary: then it has ended before anybody needs to judge.
  if (items <= limits.canary || canary.settled < limits.canary) return undefined;
  const isIll = (100 * canary.failed) / canary.settled >= (limits.breaker ?? canaryBreaker);
  return isIll || limits.canaryWait === true ? { kind: 'pause', reason: 'canary' } : { kind: 'pass' };
}
