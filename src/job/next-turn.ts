import type { ChunkRange, CutProgress, TickRecord } from '../format/tick.ts';
import { limits } from '../limits.ts';

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

/** Between turns of a limited job whose seats go on by themselves lies at most this time. */
const calmMs = 60_000;

/** Milliseconds to the next turn. */
export function delayAfter(
  n: number,
  state: {
    readonly cut: CutProgress;
    readonly hurry: boolean;
    /** The job gets to a count soon at which it stops. */
    readonly isNear: boolean;
    readonly cancelling: boolean;
    readonly isPaused: boolean;
    /** All seats are held and go on by themselves: milliseconds until everything is done; absent where some are not. */
    readonly calm: number | undefined;
    /** Milliseconds for which the chunks that were sent last; absent where all were sent. */
    readonly left: number | undefined;
    readonly inline: boolean;
  },
): number {
  if (state.inline) return 1_000 * limits.guardTickSeconds;
  if (!state.cut.done) return 0;
  // Whoever resumes the job sends the next turn.
  if (state.isPaused) return 1_000 * limits.maxDelaySeconds;
  const delays = limits.tickDelaysSeconds.map((seconds) => 1_000 * seconds);
  const usual = delays[Math.min(n, delays.length - 1)] ?? 0;
  // A turn that has somebody to obey comes soon; one that has more to send, before a quarter of what was sent is done.
  const soon = delays[Math.min(n, 3)] ?? 0;
  if (state.cancelling || state.isNear) return 1_000;
  if (state.hurry) return soon;
  // Before something has settled nobody knows whether the job is a short one.
  const isKnown = n >= delays.length || Number.isFinite(state.calm);
  if (state.calm !== undefined && isKnown) return Math.max(usual, Math.min(calmMs, state.calm / 4));
  return state.left === undefined ? usual : Math.min(usual, Math.max(soon, state.left / 4));
}

/** How long the chunks last that are not settled, at the pace since the last turn. */
export function leftToEnd(
  last: TickRecord | undefined,
  job: { readonly cut: CutProgress; readonly settled: number; readonly now: number },
): number {
  const settledSince = job.settled - (last?.settledChunks ?? 0);
  if (last === undefined || settledSince === 0) return Number.POSITIVE_INFINITY;
  return ((job.cut.chunks - job.settled) * (job.now - last.at)) / settledSince;
}

/** How long the chunks last that were sent and are not settled, at the pace since the last turn. */
export function leftToSend(
  last: TickRecord | undefined,
  job: { readonly send: ChunkRange; readonly cut: CutProgress; readonly settled: number; readonly now: number },
): number | undefined {
  if (job.send[1] === job.cut.chunks) return undefined;
  const settledSince = job.settled - (last?.settledChunks ?? 0);
  if (last === undefined || settledSince === 0) return 0;
  return ((job.send[1] - job.settled) * (job.now - last.at)) / settledSince;
}
