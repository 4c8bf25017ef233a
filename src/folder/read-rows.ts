import { mapBounded } from '../concurrency.ts';
import type { Row } from '../format/outcome.ts';
import { type ChunkPlace, folderName, type JobRef, resultKey, segmentKey } from '../format/paths.ts';
import { decodeBody, decodeLines, decodeRows, lineOf, type RowLine, type StoredRows } from '../format/result.ts';
import type { ObjectStore } from '../ports.ts';
import { readCut, readSummary, readTable } from './read.ts';

/** A result's own rows, and the names of the segments that hold the chunk's earlier ones. */
async function readResult(store: ObjectStore, job: JobRef, place: ChunkPlace): Promise<StoredRows | undefined> {
  const result = await store.get(resultKey(job, place));
  return result === undefined ? undefined : decodeRows(result.body);
}

/** A chunk's rows in index order, its segments included; undefined while it has no result. */
export async function readChunkRows(store: ObjectStore, job: JobRef, place: ChunkPlace): Promise<Row[] | undefined> {
  const result = await readResult(store, job, place);
  if (result === undefined) return undefined;
  return mergeRows([result.rows, ...(await readSegments(store, job, place, result.segments))]);
}

/** A chunk's rows when they take at most `mostBytes`; undefined when they take more, or the chunk has no result. */
export async function readSmallChunk(
  store: ObjectStore,
  at: { readonly job: JobRef; readonly place: ChunkPlace },
  mostBytes: number,
): Promise<Row[] | undefined> {
  const { job, place } = at;
  const own = await store.head(resultKey(job, place));
  if (own === undefined || own.bytes > mostBytes) return undefined;
  const { segments = [] } = (await readResult(store, job, place)) ?? {};
  const heads = await mapBounded(segments, parallel, (name) => store.head(segmentKey(job, place, name)));
  const bytes = heads.reduce((sum, head) => sum + (head?.bytes ?? 0), own.bytes);
  return bytes > mostBytes ? undefined : readChunkRows(store, job, place);
}

/** Segments of one chunk that are asked for at once. */
const parallel = 8;

/** Rows of the named segments of a chunk, in the order of the names. */
export function readSegments(
  store: ObjectStore,
  job: JobRef,
  place: ChunkPlace,
  names: readonly string[],
): Promise<Array<readonly Row[]>> {
  return readNamed(store, { job, place, names }, (body) => decodeRows(body).rows);
}

/** What is made of each of the named segments. */
function readNamed<Made>(
  store: ObjectStore,
  { job, place, names }: { readonly job: JobRef; readonly place: ChunkPlace; readonly names: readonly string[] },
  make: (body: Uint8Array) => Made,
): Promise<Made[]> {
  return mapBounded(names, parallel, async (name) => {
    const segment = await store.get(segmentKey(job, place, name));
    if (segment === undefined)
      throw new Error(
        `expected segment ${name} of chunk ${place.chunk} in part ${place.part} of ${folderName(job)}, got none`,
      );
    return make(segment.body);
  });
}

/** A chunk's rows in index order as the bytes that they stand in: nothing of them is parsed. Undefined while it has no result. */
async function readChunkLines(store: ObjectStore, job: JobRef, place: ChunkPlace): Promise<Uint8Array | undefined> {
  const result = await store.get(resultKey(job, place));
  if (result === undefined) return undefined;
  const { segments: names, lines } = decodeBody(result.body);
  if (names.length === 0) return lines;
  const earlier = await readNamed(store, { job, place, names }, (body) => decodeLines(decodeBody(body).lines));
  return bytesOf(mergeRows([decodeLines(lines), ...earlier]));
}

const encoder = new TextEncoder();
const bytesOf = (rows: readonly RowLine[]): Uint8Array => encoder.encode(rows.map(({ text }) => `${text}\n`).join(''));

/** One row for each index, the first list's before the others'; sorted by index. */
export function mergeRows<Indexed extends { readonly index: number }>(
  lists: ReadonlyArray<readonly Indexed[]>,
): Indexed[] {
  // Equal ones stay in the order of their lists.
  const rows = lists.flat().sort((a, b) => a.index - b.index);
  return rows.filter((row, n) => row.index !== rows[n - 1]?.index);
}

/**
 * Rows in input order, a chunk at a time, fetched `ahead` chunks early (4 by default).
 * While the job runs only settled chunks come; at its end chunks that were never sent come as cancelled rows.
 */
export function readRows(
  store: ObjectStore,
  job: JobRef,
  options: { readonly ahead?: number } = {},
): AsyncGenerator<readonly Row[]> {
  return readChunks<readonly Row[]>(store, job, { ...options, none: [], read: readChunkRows, make: (rows) => rows });
}

/** {@link readRows} as the bytes of JSON lines: where rows are only passed on, nobody has to read them, or to make text of them. */
export function readRowLines(store: ObjectStore, job: JobRef): AsyncGenerator<Uint8Array> {
  const make = (rows: readonly Row[]): Uint8Array => bytesOf(rows.map((row) => lineOf(row)));
  return readChunks(store, job, { none: new Uint8Array(), read: readChunkLines, make });
}

async function* readChunks<Rows extends { readonly length: number }>(
  store: ObjectStore,
  job: JobRef,
  options: {
    readonly ahead?: number;
    readonly none: Rows;
    readonly read: (store: ObjectStore, job: JobRef, place: ChunkPlace) => Promise<Rows | undefined>;
    /** Makes rows that stand nowhere. */
    readonly make: (rows: readonly Row[]) => Rows;
  },
): AsyncGenerator<Rows> {
  const [cut, summary] = await Promise.all([readCut(store, job), readSummary(store, job)]);
  if (cut === undefined) return;
  const { ahead = 4, none, read, make } = options;
  for (const part of cut.parts.keys()) {
    const table = await readTable(store, job, part);
    if (table === undefined)
      throw new Error(`expected the chunk table of part ${part} of ${folderName(job)}, got none`);
    const fetched: Array<Promise<Rows>> = [];
    const fetch = (chunk: number): void => {
      const bounds = table.chunks[chunk];
      if (bounds === undefined) return;
      const filled = read(store, job, { part, chunk }).then(
        (found) => found ?? (summary?.end === 'cancelled' ? make(cancelledRows(bounds.first, bounds.count)) : none),
      );
      // The rejection is thrown where the chunk's turn comes; until then it must not count as unhandled.
      filled.catch(() => undefined);
      fetched.push(filled);
    };
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
