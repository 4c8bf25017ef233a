import { limits } from '../limits.ts';
import { hasStops, type JobLimits } from '../task/job-limits.ts';
import { perSecondOf } from '../task/rate.ts';
import { tableOf } from './control.ts';

/** What decides how an input is cut. */
export interface CutInto {
  /** Of the input. */
  readonly bytes: number;
  readonly workers: number;
  /** Calls that one worker awaits at once. */
  readonly concurrency: number;
  /** What holds for the job as a whole. @default none */
  readonly limits?: JobLimits | undefined;
}

/** A chunk's limits. */
export interface ChunkSize {
  readonly items: number;
  readonly bytes: number;
  /** Towards the end of the input chunks shrink, but not below so many items: what a worker runs at once. */
  readonly leastItems: number;
  /** Where the input ends, and among how many what is left of it is shared. */
  readonly inputBytes: number;
  readonly among: number;
  /** So many chunks in a row take equal parts of what is left: each seat of a job has one of them. */
  readonly alike: number;
}

/** A chunk that may take further lines. */
interface Open {
  readonly start: number;
  readonly count: number;
  /** Where its last line ends. */
  readonly end: number;
  /** Bytes that are its part of what was left of the input. */
  readonly part: number;
}

const all = Number.POSITIVE_INFINITY;

/** All of the input. */
export const oneChunk: ChunkSize = { items: all, bytes: all, leastItems: all, inputBytes: 0, among: 1, alike: 1 };

/** Each worker gets some chunks, and none is over 1,000 items or 4 MiB. */
export function chunkSize({ bytes, workers, concurrency, limits: of = {} }: CutInto): ChunkSize {
  // What has to be stopped at a count is settled in small steps; so is what takes its time, or seats would be done at different times.
  const most = hasStops(of) ? limits.stopChunkItems : limits.chunkItems;
  const paced = of.rate === undefined ? most : Math.ceil(perSecondOf(of.rate) * limits.pacedChunkSeconds);
  const { seats } = tableOf(of, { workers, inline: false });
  return {
    items: Math.max(1, Math.min(most, paced)),
    bytes: Math.min(limits.chunkBytes, Math.ceil(bytes / (limits.chunksPerWorker * workers))),
    leastItems: concurrency,
    inputBytes: bytes,
    among: seats === 1 ? workers : seats,
    alike: seats,
  };
}

/**
 * The part of what is left of an input that a chunk may take which begins at `start`, after `before` others. The last ones are small, so that
 * no worker runs the end of a job alone: guided self-scheduling, as OpenMP has it. Where seats have their chunks in turn, those of one
 * round are alike, so that all seats end together.
 */
export function partOf(
  { inputBytes, among, alike }: ChunkSize,
  { start, before, last }: { readonly start: number; readonly before: number; readonly last: number },
): number {
  return before % alike === 0 ? (inputBytes - start) / among : last;
}

/** Whether the next line, which ends at `end`, is one too many. */
export function isFull(open: Open, end: number, size: ChunkSize): boolean {
  if (open.count >= size.items || end - open.start > size.bytes) return true;
  return open.count >= size.leastItems && open.end - open.start >= open.part;
}

/** How many chunks an input of so many items, all as long, is cut into. */
export function countChunks(size: ChunkSize, items: number): number {
  const itemBytes = Math.max(1, size.inputBytes / Math.max(1, items));
  const most = Math.max(1, Math.min(size.items, Math.floor(size.bytes / itemBytes)));
  let chunks = 0;
  let part = 0;
  for (let left = items; left > 0; chunks++) {
    part = partOf({ ...size, inputBytes: left }, { start: 0, before: chunks, last: part });
    left -= Math.min(most, Math.max(size.leastItems, Math.ceil(part)));
  }
  return chunks;
}
