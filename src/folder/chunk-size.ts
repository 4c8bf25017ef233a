import { limits } from '../limits.ts';

/** What decides how an input is cut. */
export interface CutInto {
  /** Of the input. */
  readonly bytes: number;
  readonly workers: number;
  /** Calls that one worker awaits at once. */
  readonly concurrency: number;
  /** Starts a second that the job may make. @default as many as it can */
  readonly perSecond?: number | undefined;
  /** Whether the job ends or pauses by itself at some count. @default false */
  readonly stops?: boolean | undefined;
}

/** A chunk's limits. */
export interface ChunkSize {
  readonly items: number;
  readonly bytes: number;
  /** Towards the end of the input chunks shrink, but not below so many items: what a worker runs at once. */
  readonly leastItems: number;
  /** Where the input ends, and the part of what is left of it that is one worker's. */
  readonly inputBytes: number;
  readonly share: number;
}

const all = Number.POSITIVE_INFINITY;

/** All of the input. */
export const oneChunk: ChunkSize = { items: all, bytes: all, leastItems: all, inputBytes: 0, share: 1 };

/** Each worker gets some chunks, and none is over 1,000 items or 4 MiB. */
export function chunkSize({ bytes, workers, concurrency, perSecond, stops }: CutInto): ChunkSize {
  // What has to be stopped at a count is settled in small steps; so is what takes its time, or seats would be done at different times.
  const most = stops === true ? limits.stopChunkItems : limits.chunkItems;
  const paced = perSecond === undefined ? most : Math.ceil(perSecond * limits.pacedChunkSeconds);
  return {
    items: Math.max(1, Math.min(most, paced)),
    bytes: Math.min(limits.chunkBytes, Math.ceil(bytes / (limits.chunksPerWorker * workers))),
    leastItems: concurrency,
    inputBytes: bytes,
    share: 1 / workers,
  };
}

/**
 * Whether the next line, which ends at `end`, is one too many. No chunk takes more than a worker's part of what is left of the input,
 * so that the last ones are small and no worker runs the end of a job alone: guided self-scheduling, as OpenMP has it.
 */
export function isFull(
  open: { readonly start: number; readonly count: number },
  end: number,
  size: ChunkSize,
): boolean {
  const bytes = end - open.start;
  if (open.count >= size.items || bytes > size.bytes) return true;
  return open.count >= size.leastItems && bytes > (size.inputBytes - open.start) * size.share;
}

/** How many chunks an input of so many items, all as long, is cut into. */
export function countChunks(size: ChunkSize, items: number): number {
  const itemBytes = Math.max(1, size.inputBytes / Math.max(1, items));
  const most = Math.max(1, Math.min(size.items, Math.floor(size.bytes / itemBytes)));
  let chunks = 0;
  for (let left = items; left > 0; chunks++)
    left -= Math.min(most, Math.max(size.leastItems, Math.floor(left * size.share)));
  return chunks;
}
