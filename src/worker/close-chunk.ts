import { storeResult } from '../folder/store-result.ts';
import { encodeMessage, type WorkMessage } from '../format/message.ts';
import { segmentKey, segmentName } from '../format/paths.ts';
import { encodeRows } from '../format/result.ts';
import { limits } from '../limits.ts';
import type { Clock, ObjectStore, Queue } from '../ports.ts';
import type { OpenChunk } from './open-chunk.ts';

/** What closing a chunk needs of the world. */
export interface CloseDeps {
  readonly store: ObjectStore;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly writer: string;
  /** Numbers segments through the whole invocation, since it may meet the same chunk again. */
  readonly nextSegment: () => number;
}

/** Stores the rows so far as a segment: they count once a result names it. Rows that could not be stored stay in hand. */
export async function storeSegment(deps: CloseDeps, chunk: OpenChunk, gen = chunk.message.gen): Promise<void> {
  const rows = chunk.takeRows(deps.clock.now());
  const name = segmentName(gen, deps.writer, deps.nextSegment(), rows.length);
  try {
    await deps.store.put(segmentKey(chunk.folder, chunk.place, name), encodeRows(rows));
  } catch (error) {
    chunk.putBackRows(rows);
    throw error;
  }
  chunk.addSegment(name);
}

/** Stores a finished chunk: its result when nothing is left, else a segment and a message for the rest. */
export async function closeChunk(deps: CloseDeps, chunk: OpenChunk): Promise<'stored' | 'lost' | 'handed over'> {
  await chunk.storing;
  if (chunk.later.length > 0) {
    await handOver(deps, chunk);
    return 'handed over';
  }
  const { segments, digest } = chunk;
  const rows = chunk.takeRows(deps.clock.now());
  const won = await storeResult(
    deps.store,
    { job: chunk.folder, place: chunk.place },
    { writer: deps.writer, rows, segments, digest },
  );
  return won ? 'stored' : 'lost';
}

async function handOver(deps: CloseDeps, chunk: OpenChunk): Promise<void> {
  const gen = chunk.message.gen + 1;
  // Stored even when there are no rows: a segment of the next generation is the proof that the chunk goes on elsewhere.
  await storeSegment(deps, chunk, gen);
  const now = deps.clock.now();
  const notBefore = Math.max(now, Math.min(...chunk.later.map((item) => item.notBefore)));
  const waits = chunk.later.filter((item) => item.notBefore > notBefore);
  const { notBefore: _over, waits: _past, ...before } = chunk.message;
  const message: WorkMessage = {
    ...before,
    gen,
    only: chunk.later.map(({ index, attempts }) => [index, attempts]),
    segments: [...chunk.segments],
    digest: chunk.digest,
    ...(notBefore > now ? { notBefore } : {}),
    ...(waits.length > 0 ? { waits: waits.map((item) => [item.index, item.notBefore]) } : {}),
  };
  const delaySeconds = Math.min(limits.maxDelaySeconds, Math.ceil((notBefore - now) / 1_000));
  await deps.queue.send([encodeMessage(message)], { group: chunk.jobId, delaySeconds });
}
