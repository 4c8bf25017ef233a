import { storeResult } from '../folder/store-result.ts';
import { encodeMessage, sentAgain, type WorkMessage } from '../format/message.ts';
import { segmentKey, segmentName } from '../format/paths.ts';
import { encodeLines } from '../format/result.ts';
import { limits } from '../limits.ts';
import type { Clock, Log, ObjectStore, Queue } from '../ports.ts';
import type { LastWrite } from './deps.ts';
import { isSuspect } from './held-message.ts';
import type { OpenChunk } from './open-chunk.ts';
import { persist } from './persist.ts';

/** The outside of {@link closeChunk}. */
export interface CloseDeps {
  readonly store: ObjectStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: string;
  /** Numbers segments through the whole invocation, since it may meet the same chunk again. */
  readonly nextSegment: () => number;
  /** Milliseconds since the epoch until which what S3 or SQS refuses is tried again. */
  readonly until: () => number;
  /** Whether what is left of a chunk is given out by others: then it goes on with no message of its own. */
  readonly isGivenOut: (chunk: OpenChunk) => boolean;
}

/** Of a segment: the generation that it belongs to, and for how long its chunk waits. */
interface SegmentOf {
  readonly gen: number;
  readonly waitMs?: number | undefined;
}

/** Stores the rows so far as a segment: they count once a result names it. They stay in hand until S3 takes them. */
export async function storeSegment(
  deps: CloseDeps,
  chunk: OpenChunk,
  of: SegmentOf = { gen: chunk.message.gen },
): Promise<void> {
  const rows = chunk.takeRows(deps.clock.now());
  const segment = { ...of, rows: rows.length, nanoUsd: chunk.takeSpent(), body: encodeLines(rows) };
  chunk.addSegment(await putSegment(deps, chunk, segment));
}

/** Stores a segment without rows: the sign that a worker has the chunk and lives. */
export async function storeSign(deps: CloseDeps, chunk: OpenChunk): Promise<void> {
  chunk.checkpointAt = deps.clock.now();
  await putSegment(deps, chunk, { gen: chunk.message.gen, rows: 0, body: new Uint8Array() });
}

/** Rows of a chunk of which it is not known that they stand, as a segment; none where there are none, or they are nobody's any more. */
export function unstoredRows(
  { writer, nextSegment }: Pick<CloseDeps, 'writer' | 'nextSegment'>,
  chunk: OpenChunk,
): readonly LastWrite[] {
  const rows = chunk.unstored();
  if (rows.length === 0) return [];
  const name = segmentName({ gen: chunk.message.gen, writer, k: nextSegment(), rows: rows.length });
  // It may live on.
  chunk.knownSegments.add(name);
  return [{ key: segmentKey(chunk.folder, chunk.place, name), body: encodeLines(rows) }];
}

async function putSegment(
  deps: CloseDeps,
  chunk: OpenChunk,
  { body, ...segment }: SegmentOf & { readonly rows: number; readonly nanoUsd?: number; readonly body: Uint8Array },
): Promise<string> {
  const { jobId, folder, place } = chunk;
  const name = segmentName({ ...segment, writer: deps.writer, k: deps.nextSegment() });
  chunk.knownSegments.add(name);
  await persist(deps, {
    what: 'a segment was not stored',
    fields: { jobId, ...place },
    act: () => deps.store.put(segmentKey(folder, place, name), body),
    until: deps.until,
  });
  return name;
}

/** Stores a finished chunk: its result when nothing is left, else a segment and a message for the rest. */
export async function closeChunk(deps: CloseDeps, chunk: OpenChunk): Promise<'stored' | 'lost' | 'handed over'> {
  await chunk.storing;
  if (chunk.isDropped) return 'lost';
  if (chunk.later.length > 0) {
    await handOver(deps, chunk);
    return 'handed over';
  }
  const rows = chunk.takeRows(deps.clock.now());
  const { jobId, folder, place, segments, digest } = chunk;
  const won = await persist(deps, {
    what: 'a result was not stored',
    fields: { jobId, ...place },
    act: () => storeResult(deps.store, { job: folder, place }, { writer: deps.writer, rows, segments, digest }),
    until: deps.until,
  });
  return won ? 'stored' : 'lost';
}

async function handOver(deps: CloseDeps, chunk: OpenChunk): Promise<void> {
  const gen = chunk.message.gen + 1;
  const now = deps.clock.now();
  // The clock may have been set since: nothing waits longer than was decided.
  const later = chunk.later.map((item) => ({
    ...item,
    notBefore: now + Math.min(item.waitMs, Math.max(0, item.notBefore - now)),
  }));
  const notBefore = Math.min(...later.map((item) => item.notBefore));
  const waits = later.filter((item) => item.notBefore > notBefore);
  const isWaiting = notBefore > now;
  // Stored even when there are no rows: a segment of the next generation is the proof that the chunk goes on elsewhere.
  const { seat } = chunk.held;
  if (seat === undefined || chunk.hasRows)
    await storeSegment(deps, chunk, { gen, waitMs: isWaiting ? notBefore - now : undefined });
  if (deps.isGivenOut(chunk)) return;
  const { notBefore: _over, waits: _past, deaths: _deaths, again: _again, ...before } = chunk.message;
  const message: WorkMessage = {
    ...before,
    gen,
    only: chunk.later.map(({ index, attempts }) => [index, attempts]),
    segments: [...chunk.segments],
    digest: chunk.digest,
    // What a worker may have died of is watched to its end.
    ...(isSuspect(chunk.held) ? { deaths: 1 } : {}),
    ...(isWaiting || waits.length > 0 ? { notBefore } : {}),
    ...(waits.length > 0 ? { waits: waits.map((item) => [item.index, item.notBefore]) } : {}),
  };
  if (seat !== undefined) return seat.keep(message);
  const { jobId } = chunk;
  await persist(deps, {
    what: 'the rest of a chunk was not handed over',
    fields: { jobId, ...chunk.place },
    act: (attempt) => {
      const delaySeconds = Math.min(
        limits.maxDelaySeconds,
        Math.ceil(Math.max(0, notBefore - deps.clock.now()) / 1_000),
      );
      return deps.queue.send([encodeMessage(sentAgain(message, attempt))], { group: jobId, delaySeconds });
    },
    until: deps.until,
  });
}
