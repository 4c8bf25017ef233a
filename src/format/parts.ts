import type { ChunkPlace } from './paths.ts';
import type { CutProgress } from './tick.ts';

type Parts = CutProgress['parts'];

/** The number of a part's first chunk, counted over all parts. */
export function firstChunkOf(parts: Parts, part: number): number {
  let chunks = 0;
  for (const { chunks: count } of parts.slice(0, part)) chunks += count;
  return chunks;
}

/** The place of a chunk that is counted over all parts. @throws Error when there is no such chunk. */
function placeOf(parts: Parts, chunk: number): ChunkPlace {
  let rest = chunk;
  for (const [part, { chunks }] of parts.entries()) {
    if (rest < chunks) return { part, chunk: rest };
    rest -= chunks;
  }
  throw new Error(`expected a chunk within the ${parts.length} parts, got chunk ${chunk}`);
}

/** Places from chunk `from` to, not including, chunk `to`. */
export function placesOf(parts: Parts, from: number, to: number): ChunkPlace[] {
  const places: ChunkPlace[] = [];
  for (let chunk = from; chunk < to; chunk++) places.push(placeOf(parts, chunk));
  return places;
}
