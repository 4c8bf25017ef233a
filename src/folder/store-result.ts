import type { Chunk } from '../format/chunk.ts';
import { countRow, type Digest, emptyDigest } from '../format/digest.ts';
import type { Row } from '../format/outcome.ts';
import { type ChunkPlace, type JobRef, resultKey, segmentNanoUsd, segmentsPrefix } from '../format/paths.ts';
import { encodeLines, lineOf, type ResultHead, type RowLine, resultMetadata } from '../format/result.ts';
import type { ObjectStore } from '../ports.ts';
import { mergeRows, readSegments } from './read-rows.ts';

/**
 * Stores a chunk's result where none is; resolves to whether this write won.
 * Rows of segments stay where they are, and the first line names them: a chunk's rows may be larger than a function's memory.
 */
export async function storeResult(
  store: ObjectStore,
  at: { readonly job: JobRef; readonly place: ChunkPlace },
  result: ResultHead & { readonly rows: readonly RowLine[] },
): Promise<boolean> {
  const { job, place } = at;
  const { segments, writer, digest } = result;
  const etag = await store.put(resultKey(job, place), encodeLines(mergeRows([result.rows]), segments), {
    condition: { ifAbsent: true },
    metadata: resultMetadata({ writer, digest }),
  });
  if (etag !== undefined) return true;
  // The answer to one's own earlier write may have been lost: then the object names this writer.
  const winner = await store.head(resultKey(job, place));
  return winner?.metadata['writer'] === writer;
}

/** Settles what workers left of a chunk: rows of its segments count, `makeRow` makes the others. */
export async function settleRest(
  store: ObjectStore,
  at: { readonly job: JobRef; readonly place: ChunkPlace; readonly chunk: Chunk },
  rest: { readonly writer: string; readonly makeRow: (index: number) => Row },
): Promise<boolean> {
  const { job, place, chunk } = at;
  const prefix = segmentsPrefix(job, place);
  const names = (await store.list(prefix)).map((key) => key.slice(prefix.length).replace(/\.ndjson$/, ''));
  const left = new Set(Array.from({ length: chunk.count }, (_, i) => chunk.first + i));
  const nanoUsd = names.reduce((sum, name) => sum + segmentNanoUsd(name), 0);
  let digest: Digest = { ...emptyDigest, nanoUsd };
  const count = (row: Row): void => {
    if (left.delete(row.index)) digest = countRow(digest, row, row.status === 'cancelled' ? 0 : row.durationMs);
  };
  // One after another, since all of them together may be larger than a function's memory.
  for (const name of names) for (const rows of await readSegments(store, job, place, [name])) rows.forEach(count);
  const rows = [...left].map(rest.makeRow);
  rows.forEach(count);
  return storeResult(store, at, {
    writer: rest.writer,
    segments: names,
    digest,
    rows: rows.map((row) => lineOf(row)),
  });
}
