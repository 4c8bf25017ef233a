/** How far a job had come at an instant. */
interface Progress {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly settledChunks: number;
}

/**
 * Seconds after which the next turn should be at the latest so that a job's end is seen soon: half of what is left at the pace since the
 * last turn, at least one. Infinite where nothing settled, since that tells of no pace.
 */
export function secondsTowardsTheEnd(last: Progress | undefined, now: Progress, chunks: number): number {
  const settled = now.settledChunks - (last?.settledChunks ?? 0);
  const left = chunks - now.settledChunks;
  if (last === undefined || settled <= 0 || left <= 0) return Number.POSITIVE_INFINITY;
  const secondsLeft = (left * (now.at - last.at)) / (1_000 * settled);
  return Math.max(1, Math.ceil(secondsLeft / 2));
}
