import { mapBounded } from '../concurrency.ts';
import { parseJson } from '../format/json.ts';
import type { Row } from '../format/outcome.ts';
import { type ChunkPlace, resultKey, segmentKey } from '../format/paths.ts';
import type { ObjectStore } from '../ports.ts';
import { readCut, readSummary, readTable } from './read.ts';

const decoder = new TextDecoder();

/** Rows of a segment's body. */
export function parseRows(body: Uint8Array): Row[] {
  return rowsOf(decoder.decode(body));
}

function rowsOf(text: string): Row[] {
  // Each line is a Row as JSON.
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => parseJson(line) as Row);
}

/** How a result begins whose earlier rows stand in segments: with a line that names them. */
const segmentsStart = '{"segments":';

/** A result's own rows, and the names of the segments that hold the chunk's earlier ones. */
async function readResult(
  store: ObjectStore,
  jobId: string,
  place: ChunkPlace,
): Promise<{ readonly segments: readonly string[]; readonly rows: readonly Row[] } | undefined> {
  const result = await store.get(resultKey(jobId, place));
  if (result === undefined) return undefined;
  const text = decoder.decode(result.body);
  const end = text.startsWith(segmentsStart) ? text.indexOf('\n') + 1 : 0;
  // The line was written by storeResult.
  const { segments } = (end === 0 ? { segments: [] } : JSON.parse(text.slice(0, end))) as { segments: string[] };
  return { segments, rows: rowsOf(text.slice(end)) };
}

/** A chunk's rows in index order, its segments included; undefined while it has no result. */
export async function readChunkRows(store: ObjectStore, jobId: string, place: ChunkPlace): Promise<Row[] | undefined> {
  const result = await readResult(store, jobId, place);
  if (result === undefined) return undefined;
  return mergeRows([result.rows, ...(await readSegments(store, jobId, place, result.segments))]);
}

/** A chunk's rows when they take at most `mostBytes`; undefined when they take more, or the chunk has no result. */
export async function readSmallChunk(
  store: ObjectStore,
  at: { readonly jobId: string; readonly place: ChunkPlace },
  mostBytes: number,
): Promise<Row[] | undefined> {
  const { jobId, place } = at;
  const own = await store.head(resultKey(jobId, place));
  if (own === undefined || own.bytes > mostBytes) return undefined;
  const { segments = [] } = (await readResult(store, jobId, place)) ?? {};
  const heads = await mapBounded(segments, parallel, (name) => store.head(segmentKey(jobId, place, name)));
  const bytes = heads.reduce((sum, head) => sum + (head?.bytes ?? 0), own.bytes);
  return bytes > mostBytes ? undefined : readChunkRows(store, jobId, place);
}

/** Segments of one chunk that are asked for at once. */
const parallel = 8;

/** Rows of the named segments of a chunk, in the order of the names. */
export function readSegments(
  store: ObjectStore,
  jobId: string,
  place: ChunkPlace,
  names: readonly string[],
): Promise<Row[][]> {
  return mapBounded(names, parallel, async (name) => {
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
