import { mapBounded } from '../concurrency.ts';
import type { ObjectStore } from '../ports.ts';
import type { ChunkTable, Cut } from './chunk.ts';
import { type Digest, decodeDigest } from './digest.ts';
import type { Control, Manifest } from './manifest.ts';
import type { Row } from './outcome.ts';
import {
  type ChunkPlace,
  controlKey,
  cutKey,
  jobsPrefix,
  manifestKey,
  partKey,
  resultChunk,
  resultKey,
  resultsPrefix,
  segmentKey,
  summaryKey,
  tickKey,
  tickNumber,
  ticksPrefix,
} from './paths.ts';
import type { Summary } from './summary.ts';
import type { TickRecord } from './tick.ts';

const decoder = new TextDecoder();

/** Reads a JSON object of the folder; its shape is what this same code wrote. */
async function readJson<Shape>(store: ObjectStore, key: string): Promise<Shape | undefined> {
  const object = await store.get(key);
  return object === undefined ? undefined : (JSON.parse(decoder.decode(object.body)) as Shape);
}

export const readManifest = (store: ObjectStore, jobId: string) => readJson<Manifest>(store, manifestKey(jobId));
export const readCut = (store: ObjectStore, jobId: string) => readJson<Cut>(store, cutKey(jobId));
export const readControl = (store: ObjectStore, jobId: string) => readJson<Control>(store, controlKey(jobId));
export const readSummary = (store: ObjectStore, jobId: string) => readJson<Summary>(store, summaryKey(jobId));
export const readTick = (store: ObjectStore, jobId: string, n: number) =>
  readJson<TickRecord>(store, tickKey(jobId, n));
export const readTable = (store: ObjectStore, jobId: string, part: number) =>
  readJson<ChunkTable>(store, partKey(jobId, part));

/** The record of a job's newest turn. */
export async function lastTick(store: ObjectStore, jobId: string): Promise<TickRecord | undefined> {
  const [newest] = await store.list(ticksPrefix(jobId), { limit: 1 });
  return newest === undefined ? undefined : readTick(store, jobId, tickNumber(newest));
}

/** Numbers of the chunks of a part that have a result. */
export async function settledInPart(store: ObjectStore, jobId: string, part: number): Promise<number[]> {
  return (await store.list(resultsPrefix(jobId, part))).map(resultChunk);
}

/** What the result of a chunk counts. @throws Error when the chunk has no result. */
export async function readDigest(store: ObjectStore, jobId: string, place: ChunkPlace): Promise<Digest> {
  const head = await store.head(resultKey(jobId, place));
  if (head === undefined)
    throw new Error(`expected a result of chunk ${place.chunk} in part ${place.part} of ${jobId}, got none`);
  return decodeDigest(head.metadata['digest'] ?? '');
}

/** Rows of a result or segment body. */
export function parseRows(body: Uint8Array): Row[] {
  const text = decoder.decode(body);
  // Each line was written by JSON.stringify of a Row.
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
}

/** A chunk's rows in index order, its segments included; undefined while it has no result. */
export async function readChunkRows(store: ObjectStore, jobId: string, place: ChunkPlace): Promise<Row[] | undefined> {
  const result = await store.get(resultKey(jobId, place));
  if (result === undefined) return undefined;
  const names = (result.metadata['segments'] ?? '').split(',').filter((name) => name !== '');
  return mergeRows([parseRows(result.body), ...(await readSegments(store, jobId, place, names))]);
}

/** Rows of the named segments of a chunk, in the order of the names. */
export function readSegments(
  store: ObjectStore,
  jobId: string,
  place: ChunkPlace,
  names: readonly string[],
): Promise<Row[][]> {
  return mapBounded(names, 8, async (name) => {
    const segment = await store.get(segmentKey(jobId, place, name));
    if (segment === undefined)
      throw new Error(`expected segment ${name} of chunk ${place.chunk} in part ${place.part} of ${jobId}, got none`);
    return parseRows(segment.body);
  });
}

/** One row for each index, the first list's before the others'; sorted by index. */
export function mergeRows(lists: ReadonlyArray<readonly Row[]>): Row[] {
  const rows = new Map<number, Row>();
  for (const list of lists) for (const row of list) if (!rows.has(row.index)) rows.set(row.index, row);
  return [...rows.values()].sort((a, b) => a.index - b.index);
}

/**
 * Rows in input order, a chunk at a time, fetched `ahead` chunks early (4 by default).
 * While the job runs only settled chunks come; at its end chunks that were never sent come as cancelled rows.
 */
export async function* readRows(
  store: ObjectStore,
  jobId: string,
  options: { readonly ahead?: number } = {},
): AsyncGenerator<readonly Row[]> {
  const [cut, summary] = await Promise.all([readCut(store, jobId), readSummary(store, jobId)]);
  if (cut === undefined) return;
  for (const part of cut.parts.keys()) {
    const table = await readTable(store, jobId, part);
    if (table === undefined) throw new Error(`expected the chunk table of part ${part} of ${jobId}, got none`);
    const fetched: Array<Promise<readonly Row[]>> = [];
    const fetch = (chunk: number): void => {
      const bounds = table.chunks[chunk];
      if (bounds === undefined) return;
      const rows = readChunkRows(store, jobId, { part, chunk });
      const filled = rows.then(
        (found) => found ?? (summary?.end === 'cancelled' ? cancelledRows(bounds.first, bounds.count) : []),
      );
      // The rejection is thrown where the chunk's turn comes; until then it must not count as unhandled.
      filled.catch(() => undefined);
      fetched.push(filled);
    };
    const ahead = options.ahead ?? 4;
    for (let chunk = 0; chunk < ahead; chunk++) fetch(chunk);
    for (const chunk of table.chunks.keys()) {
      fetch(chunk + ahead);
      const rows = await fetched.shift();
      if (rows !== undefined && rows.length > 0) yield rows;
    }
  }
}

/** Rows of items that were never tried because their job was cancelled. */
export function cancelledRows(first: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({ index: first + i, status: 'cancelled', attempts: 0 }));
}

/** Jobs, newest first, with their summary when they have ended. */
export async function* listJobs(
  store: ObjectStore,
  options: { readonly limit?: number } = {},
): AsyncGenerator<{ readonly manifest: Manifest; readonly summary: Summary | undefined }> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let startAfter = jobsPrefix;
  while (left > 0) {
    const [key] = await store.list(jobsPrefix, { startAfter, limit: 1 });
    if (key === undefined) return;
    const jobId = key.slice(jobsPrefix.length).split('/')[0] ?? '';
    // Skips the rest of this job's folder: `~` sorts behind every name in it.
    startAfter = `${jobsPrefix}${jobId}/~`;
    const [manifest, summary] = await Promise.all([readManifest(store, jobId), readSummary(store, jobId)]);
    if (manifest === undefined) continue;
    yield { manifest, summary };
    left--;
  }
}
