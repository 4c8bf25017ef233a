import { Bitmap } from '../format/bitmap.ts';
import { addDigests, type Digest, emptyDigest } from '../format/digest.ts';
import { firstChunkOf } from '../format/parts.ts';
import type { ChunkPlace } from '../format/paths.ts';
import type { CutProgress, TickRecord } from '../format/tick.ts';

/** Chunks that have a result and were not counted before. */
export type NewlySettled = ReadonlyArray<ChunkPlace & { readonly digest: Digest }>;

interface Count {
  readonly totals: Digest;
  readonly counted: Readonly<Record<string, string>>;
  readonly settledParts: number;
  readonly chunks: number;
}

/** Counts each newly settled chunk once, and forgets the bitmaps of parts that are settled as a whole. */
export function countSettled(
  last: TickRecord | undefined,
  observed: { readonly cut: CutProgress; readonly settled: NewlySettled },
): Count {
  const { parts } = observed.cut;
  let totals = last?.totals ?? emptyDigest;
  let chunks = last?.settledChunks ?? 0;
  const bitmaps = new Map<number, Bitmap>();
  for (const [part, encoded] of Object.entries(last?.counted ?? {})) {
    bitmaps.set(Number(part), Bitmap.of(parts[Number(part)]?.chunks ?? 0, encoded));
  }
  for (const { part, chunk, digest } of observed.settled) {
    const bitmap = bitmaps.get(part) ?? Bitmap.of(parts[part]?.chunks ?? 0);
    bitmaps.set(part, bitmap);
    if (bitmap.has(chunk)) continue;
    bitmap.add(chunk);
    totals = addDigests(totals, digest);
    chunks++;
  }
  let settledParts = last?.settledParts ?? 0;
  for (let part = parts[settledParts]; part !== undefined; part = parts[settledParts]) {
    if (bitmaps.get(settledParts)?.size !== part.chunks) break;
    bitmaps.delete(settledParts);
    settledParts++;
  }
  const counted = Object.fromEntries([...bitmaps].map(([part, bitmap]) => [part, bitmap.encode()]));
  return { totals, counted, settledParts, chunks };
}

/** Parts of which some chunk was sent and is not settled. */
export function openParts(record: TickRecord | undefined): number[] {
  if (record === undefined) return [];
  const open: number[] = [];
  for (let part = record.settledParts; part < record.cut.parts.length; part++) {
    if (firstChunkOf(record.cut.parts, part) >= record.send[1]) break;
    open.push(part);
  }
  return open;
}
