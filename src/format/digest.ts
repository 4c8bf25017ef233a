import type { ItemError, Row } from './outcome.ts';

/** Upper bounds in milliseconds of the first 15 buckets of a duration histogram; the 16th takes the rest. */
const durationBoundsMs = [5, 10, 20, 50, 100, 200, 300, 500, 750, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;

/** Codes that a digest tells apart; further ones are counted as `Other`. */
const maxCodes = 20;
const otherCode = 'Other';

/** Counts over the rows of a chunk, or of many; digests add up. */
export interface Digest {
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Failed items by reason. */
  readonly codes: Readonly<Record<string, number>>;
  /** Attempts in all, so `attempts - items that were tried` is the number of retries. */
  readonly attempts: number;
  /** Items that were tried at least once. */
  readonly tried: number;
  /** Sum over all attempts, in milliseconds, with what they waited for each other on their event loop. */
  readonly callMs: number;
  /** Items by duration of their last attempt. */
  readonly histogram: readonly number[];
  /** Worker invocations, counted by the first chunk that each of them stored. */
  readonly invocations: number;
  /** Milliseconds of worker time spent. */
  readonly billedMs: number;
  /** Messages sent to hand over. */
  readonly handOvers: number;
  /** Requests of workers to S3 (PUT and LIST; GET and HEAD) and to SQS, as AWS bills them. */
  readonly s3Writes: number;
  readonly s3Reads: number;
  readonly sqsRequests: number;
  /** How often something computed on the event loop for so long that every other call had to wait, and the longest time. */
  readonly slowCallbacks: number;
  readonly slowestMs: number;
  /** Attempts that the downstream refused for its rate. */
  readonly refusals: number;
  /** What tasks said that they spent, in billionths of a US dollar. */
  readonly nanoUsd: number;
}

export const emptyDigest: Digest = {
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  codes: {},
  attempts: 0,
  tried: 0,
  callMs: 0,
  histogram: new Array<number>(durationBoundsMs.length + 1).fill(0),
  invocations: 0,
  billedMs: 0,
  handOvers: 0,
  s3Writes: 0,
  s3Reads: 0,
  sqsRequests: 0,
  slowCallbacks: 0,
  slowestMs: 0,
  refusals: 0,
  nanoUsd: 0,
};

/** The reason under which a failure is counted: its code. Rows of older jobs have the status beside it. */
export const reasonOf = ({ code, status }: ItemError): string =>
  code === 'HttpStatus' && status !== undefined ? `${code}${status}` : code;

/** Items that a digest counts. */
export const digestItems = (digest: Digest): number => digest.succeeded + digest.failed + digest.cancelled;

/** Counts one row; `callMs` is the time of all its attempts. */
export const countRow = (digest: Digest, row: Row, callMs: number): Digest => countRows(digest, [{ row, callMs }]);

/** Counts many rows. A digest and a histogram made anew for each of them were a fortieth of a worker's processor time. */
export function countRows(digest: Digest, rows: ReadonlyArray<{ readonly row: Row; readonly callMs: number }>): Digest {
  const outcomes = { succeeded: digest.succeeded, failed: digest.failed, cancelled: digest.cancelled };
  const histogram = [...digest.histogram];
  let { codes, attempts, tried, callMs } = digest;
  for (const { row, callMs: took } of rows) {
    outcomes[row.status]++;
    attempts += row.attempts;
    if (row.attempts > 0) tried++;
    callMs += took;
    if (row.status === 'failed') codes = addCodes(codes, { [reasonOf(row.error)]: 1 });
    if (row.status === 'cancelled') continue;
    const { durationMs } = row;
    const bucket = durationBoundsMs.findIndex((bound) => durationMs <= bound);
    const at = bucket === -1 ? durationBoundsMs.length : bucket;
    histogram[at] = (histogram[at] ?? 0) + 1;
  }
  return { ...digest, ...outcomes, codes, attempts, tried, callMs, histogram };
}

/** Adds two digests. */
export function addDigests(a: Digest, b: Digest): Digest {
  return {
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
    codes: addCodes(a.codes, b.codes),
    attempts: a.attempts + b.attempts,
    tried: a.tried + b.tried,
    callMs: a.callMs + b.callMs,
    histogram: a.histogram.map((count, i) => count + (b.histogram[i] ?? 0)),
    invocations: a.invocations + b.invocations,
    billedMs: a.billedMs + b.billedMs,
    handOvers: a.handOvers + b.handOvers,
    s3Writes: a.s3Writes + b.s3Writes,
    s3Reads: a.s3Reads + b.s3Reads,
    sqsRequests: a.sqsRequests + b.sqsRequests,
    slowCallbacks: a.slowCallbacks + b.slowCallbacks,
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
    refusals: a.refusals + b.refusals,
    nanoUsd: a.nanoUsd + b.nanoUsd,
  };
}

/** Takes outcomes out of a digest that others replace; the work that they cost stays in it. */
export function subtractOutcomes(from: Digest, outcomes: Digest): Digest {
  const codes = new Map(Object.entries(from.codes));
  for (const [code, count] of Object.entries(outcomes.codes)) {
    // A code that came late is among the others.
    const counted = codes.has(code) ? code : otherCode;
    const left = (codes.get(counted) ?? 0) - count;
    if (left > 0) codes.set(counted, left);
    else codes.delete(counted);
  }
  const less = (a: number, b: number): number => Math.max(0, a - b);
  return {
    ...from,
    succeeded: less(from.succeeded, outcomes.succeeded),
    failed: less(from.failed, outcomes.failed),
    cancelled: less(from.cancelled, outcomes.cancelled),
    codes: Object.fromEntries(codes),
    tried: less(from.tried, outcomes.tried),
    histogram: from.histogram.map((count, i) => less(count, outcomes.histogram[i] ?? 0)),
  };
}

function addCodes(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const codes = new Map(Object.entries(a));
  for (const [code, count] of Object.entries(b)) {
    const counted = codes.has(code) || codes.size < maxCodes - 1 ? code : otherCode;
    codes.set(counted, (codes.get(counted) ?? 0) + count);
  }
  return Object.fromEntries(codes);
}
