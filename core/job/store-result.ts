import { limits } from '../limits.ts';
import type { ObjectStore } from '../ports.ts';
import type { Chunk } from './chunk.ts';
import { countRow, type Digest, emptyDigest, encodeDigest } from './digest.ts';
import type { ResultMetadata, Row } from './outcome.ts';
import { type ChunkPlace, resultKey, segmentsPrefix } from './paths.ts';
import { mergeRows, readSegments } from './read.ts';

/** Rows as NDJSON. */
export function encodeRows(rows: readonly Row[]): Uint8Array {
  return new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/**
 * Stores a chunk's result where none is; resolves to whether this write won.
 * More segments than metadata can name are merged into the result.
 */
export async function storeResult(
  store: ObjectStore,
  at: { readonly jobId: string; readonly place: ChunkPlace },
  result: ResultMetadata & { readonly rows: readonly Row[] },
): Promise<boolean> {
  const { jobId, place } = at;
  const merge = result.segments.length > limits.segmentsNamed;
  const earlier = merge ? await readSegments(store, jobId, place, result.segments) : [];
  const rows = mergeRows([result.rows, ...earlier]);
  const etag = await store.put(resultKey(jobId, place), encodeRows(rows), {
    condition: { ifAbsent: true },
    metadata: {
      writer: result.writer,
      segments: merge ? '' : result.segments.join(','),
      digest: encodeDigest(result.digest),
    },
  });
  if (etag !== undefined) return true;
  // The answer to one's own earlier write may have been lost: then the object names this writer.
  const winner = await store.head(resultKey(jobId, place));
  return winner?.metadata['writer'] === result.writer;
}

/** Settles what workers left of a chunk: rows of its segments count, `makeRow` makes the others. */
export async function settleRest(
  store: ObjectStore,
  at: { readonly jobId: string; readonly place: ChunkPlace; readonly chunk: Chunk },
  rest: { readonly writer: string; readonly makeRow: (index: number) => Row },
): Promise<boolean> {
  const { jobId, place, chunk } = at;
  const prefix = segmentsPrefix(jobId, place);
  const names = (await store.list(prefix)).map((key) => key.slice(prefix.length).replace(/\.ndjson$/, ''));
  const earlier = await readSegments(store, jobId, place, names);
  const made = Array.from({ length: chunk.count }, (_, i) => rest.makeRow(chunk.first + i));
  const rows = mergeRows([...earlier, made]);
  let digest: Digest = emptyDigest;
  for (const row of rows) digest = countRow(digest, row, row.status === 'cancelled' ? 0 : row.durationMs);
  return storeResult(store, at, { writer: rest.writer, segments: [], digest, rows });
}
