import { countRow, type Digest, emptyDigest } from '../format/digest.ts';
import { type ChunkPlace, folderName, type JobRef, resultKey } from '../format/paths.ts';
import { BrokenRecord } from '../format/record.ts';
import { resultDigest } from '../format/result.ts';
import type { ObjectStore } from '../ports.ts';
import { readChunkRows } from './read-rows.ts';

/**
 * What the result of a chunk counts: from its metadata, or from its rows where that says nothing (a copy of the object may have lost
 * it), which know no cost.
 *
 * @throws UsageError `NewerVersion`; Error when the chunk has no result.
 */
export async function readDigest(store: ObjectStore, job: JobRef, place: ChunkPlace): Promise<Digest> {
  const head = await store.head(resultKey(job, place));
  if (head === undefined)
    throw new Error(`expected a result of chunk ${place.chunk} in part ${place.part} of ${folderName(job)}, got none`);
  try {
    return resultDigest(head.metadata);
  } catch (error) {
    if (!(error instanceof BrokenRecord)) throw error;
    const rows = (await readChunkRows(store, job, place)) ?? [];
    return rows.reduce(
      (digest, row) => countRow(digest, row, row.status === 'cancelled' ? 0 : row.durationMs),
      emptyDigest,
    );
  }
}
