import type { ChunkTable, Cut } from '../format/chunk.ts';
import { type Digest, decodeDigest } from '../format/digest.ts';
import type { Control, Manifest } from '../format/manifest.ts';
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
  summaryKey,
  tickKey,
  tickNumber,
  ticksPrefix,
} from '../format/paths.ts';
import type { Summary } from '../format/summary.ts';
import type { TickRecord } from '../format/tick.ts';
import type { ObjectStore } from '../ports.ts';

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
