import { chunkTableFormat, cutFormat } from '../format/chunk.ts';
import { controlFormat } from '../format/control.ts';
import { manifestFormat } from '../format/manifest.ts';
import {
  controlKey,
  cutKey,
  type JobRef,
  manifestKey,
  partKey,
  resultChunk,
  resultsPrefix,
  summaryKey,
  tickKey,
  tickNumber,
  ticksPrefix,
} from '../format/paths.ts';
import { BrokenRecord, type RecordFormat } from '../format/record.ts';
import { summaryFormat } from '../format/summary.ts';
import { type TickRecord, tickFormat } from '../format/tick.ts';
import type { ObjectStore } from '../ports.ts';

/** Reads a record of the folder; undefined where none is. @throws UsageError `NewerVersion`; BrokenRecord that names the object */
async function readRecord<Shape>(
  store: ObjectStore,
  format: RecordFormat<Shape>,
  key: string,
): Promise<Shape | undefined> {
  try {
    const object = await store.get(key);
    return object === undefined ? undefined : format.parse(object.body);
  } catch (error) {
    if (error instanceof BrokenRecord) throw new BrokenRecord(`${key} is damaged: ${error.message}`, { cause: error });
    throw error;
  }
}

export const readManifest = (store: ObjectStore, job: JobRef) => readRecord(store, manifestFormat, manifestKey(job));
export const readCut = (store: ObjectStore, job: JobRef) => readRecord(store, cutFormat, cutKey(job));
export const readControl = (store: ObjectStore, job: JobRef) => readRecord(store, controlFormat, controlKey(job));
export const readSummary = (store: ObjectStore, job: JobRef) => readRecord(store, summaryFormat, summaryKey(job));
export const readTick = (store: ObjectStore, job: JobRef, n: number) => readRecord(store, tickFormat, tickKey(job, n));
export const readTable = (store: ObjectStore, job: JobRef, part: number) =>
  readRecord(store, chunkTableFormat, partKey(job, part));

/** The record of a job's newest turn. */
export async function lastTick(store: ObjectStore, job: JobRef): Promise<TickRecord | undefined> {
  const n = await lastTurn(store, job);
  return n === undefined ? undefined : readTick(store, job, n);
}

/** The number of the last turn; undefined before the first one. */
export async function lastTurn(store: ObjectStore, job: JobRef): Promise<number | undefined> {
  const [newest] = await store.list(ticksPrefix(job), { limit: 1 });
  return newest === undefined ? undefined : tickNumber(newest);
}

/** Numbers of the chunks of a part that have a result. */
export async function settledInPart(store: ObjectStore, job: JobRef, part: number): Promise<number[]> {
  return (await store.list(resultsPrefix(job, part))).map(resultChunk);
}
