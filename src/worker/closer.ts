import { encodeMessage, sentAgain } from '../format/message.ts';
import { resultKey } from '../format/paths.ts';
import { limits } from '../limits.ts';
import { type CloseDeps, closeChunk, storeSegment, storeSign, unstoredRows } from './close-chunk.ts';
import type { RequestCount, Requests } from './count-requests.ts';
import type { LastWrite, WorkerDeps } from './deps.ts';
import { type HeldBell, type HeldMessage, isBell, isSuspect, mayHaveRival } from './held-message.ts';
import type { Holds } from './holds.ts';
import { listSegments } from './kept-rows.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { OpenChunk } from './open-chunk.ts';
import { persist } from './persist.ts';
import type { WorkerState } from './worker-state.ts';

/** The way out of the worker: stores chunks, and deletes a message only when its chunk is settled for good. */
export class Closer {
  readonly #deps: WorkerDeps;
  readonly #closeDeps: CloseDeps;
  readonly #state: WorkerState;
  readonly #watch: LoopWatch;
  readonly #holds: Holds;
  readonly #requests: RequestCount;
  /** Ids of messages that need not come back. */
  readonly acknowledged = new Set<string>();
  #chargedAt: number;
  /** The invocation itself is charged to the first chunk that it stores. */
  #invocations = 1;

  constructor(
    deps: WorkerDeps,
    state: WorkerState,
    parts: { readonly watch: LoopWatch; readonly holds: Holds; readonly requests: RequestCount },
  ) {
    this.#watch = parts.watch;
    this.#requests = parts.requests;
    this.#holds = parts.holds;
    this.#deps = deps;
    let segments = 0;
    this.#closeDeps = {
      ...deps,
      nextSegment: () => segments++,
      until: () => state.endAt,
      isGivenOut: (chunk) => chunk.isVoid,
    };
    this.#state = state;
    this.#chargedAt = deps.clock.now();
  }

  /** Stores a chunk when nothing of it is to be done here; stores rows early when they are many or old, or memory is full of them. */
  check(chunk: OpenChunk): void {
    if (chunk.isDropped || chunk.closing) return;
    if (chunk.isFinished) {
      chunk.closing = true;
      this.#state.track(this.#close(chunk), chunk.jobId);
      return;
    }
    if (chunk.isStoring) return;
    const { checkpointMs, leaseSeconds } = this.#deps;
    const ageMs = this.#deps.clock.now() - chunk.checkpointAt;
    const isFull = chunk.rowBytes >= limits.segmentBytes || this.#state.isFullOfRows;
    if (chunk.hasRows && (ageMs >= checkpointMs || isFull)) this.#storeEarly(chunk, storeSegment);
    // Without a sign for two leases the job takes the chunk's message for lost.
    else if (chunk.held.seat === undefined && ageMs >= 1_000 * leaseSeconds) this.#storeEarly(chunk, storeSign);
  }

  /** Rows of which it is not known that they stand, as segments that whoever has their chunks next reads. */
  unstored(): readonly LastWrite[] {
    return this.#state.chunks.flatMap((chunk) => unstoredRows(this.#closeDeps, chunk));
  }

  /** Says that a worker has this chunk now, whose message came before: whoever has it still then stops. */
  async claim(chunk: OpenChunk): Promise<void> {
    await storeSign(this.#closeDeps, chunk);
  }

  #storeEarly(chunk: OpenChunk, store: (deps: CloseDeps, chunk: OpenChunk) => Promise<void>): void {
    chunk.isStoring = true;
    const stored = store(this.#closeDeps, chunk).finally(() => {
      chunk.isStoring = false;
      this.#state.changed.set();
    });
    // Closing waits for it. When S3 took nothing to the end, neither do rows of it count: the message comes back.
    chunk.storing = stored;
    this.#state.track(
      stored.then(async () => {
        if (!chunk.closing && (await this.#hasResult(chunk))) await this.drop(chunk, { isSettled: true });
        else this.check(chunk);
      }),
      chunk.jobId,
    );
  }

  /**
   * Gives a chunk up that another worker has taken or settled: also one whose last items run, since they may be tried again.
   * A HEAD every 2 s is 1.5 % of what a worker of 1 GB costs. https://aws.amazon.com/s3/pricing/
   */
  async lookForRival(chunk: OpenChunk): Promise<void> {
    const isLapsed = this.#holds.isLapsed(chunk.held);
    // While a seat is held, its chunks are.
    if (chunk.closing || chunk.isDropped || chunk.held.seat !== undefined) return;
    const [hasResult, segments] = await Promise.all([
      this.#hasResult(chunk),
      isLapsed ? listSegments(this.#deps.store, chunk.message) : [],
    ]);
    if (hasResult) await this.drop(chunk, { isSettled: true });
    else if (segments.some((name) => !chunk.knownSegments.has(name))) await this.drop(chunk, { isSettled: false });
  }

  async #hasResult(chunk: OpenChunk): Promise<boolean> {
    return (await this.#deps.store.head(resultKey(chunk.folder, chunk.place))) !== undefined;
  }

  /** Stops with a chunk that another worker has: nothing of it counts here any more. One that is being stored is left alone. */
  async drop(chunk: OpenChunk, { isSettled }: { readonly isSettled: boolean }): Promise<void> {
    if (chunk.closing || chunk.isDropped) return;
    const { log } = this.#deps;
    log('info', 'a chunk was dropped: another worker has it', { jobId: chunk.jobId, ...chunk.place, isSettled });
    chunk.drop();
    chunk.job.forget(chunk);
    this.#state.remove(chunk);
    await this.#holds.release(chunk.held);
    if (isSettled) await this.acknowledge(chunk.held);
  }

  /** The message is settled for good: nothing is lost when it is deleted. */
  async acknowledge(held: HeldMessage | HeldBell): Promise<void> {
    if (!isBell(held)) held.seat?.finished(held.message);
    this.acknowledged.add(held.messageId);
    await this.#holds.release(held);
    const { receiptHandle, messageId } = held;
    if (receiptHandle === undefined) return;
    await persist(this.#deps, {
      what: 'a message was not deleted',
      fields: { messageId },
      act: () => this.#deps.queue.delete(receiptHandle),
      until: () => this.#state.endAt,
    });
  }

  /** Puts a message back of which nothing was begun: as a new one, since its next receive must not count towards its death. */
  async putBack(held: HeldMessage, { delaySeconds }: { readonly delaySeconds?: number } = {}): Promise<void> {
    // Without a delay it would only be received again.
    if (delaySeconds === undefined) this.#state.mayPull = false;
    const { message } = held;
    // The new message has no receives that tell of a worker's death.
    const back = isSuspect(held) ? { ...message, deaths: message.deaths ?? 1 } : message;
    await persist(this.#deps, {
      what: 'a message was not put back',
      fields: { messageId: held.messageId },
      act: (attempt) =>
        this.#deps.queue.send([encodeMessage(sentAgain(back, attempt))], {
          group: message.job,
          ...(delaySeconds === undefined ? {} : { delaySeconds }),
        }),
      until: () => this.#state.endAt,
    });
    await this.acknowledge(held);
  }

  async #close(chunk: OpenChunk): Promise<void> {
    const { log } = this.#deps;
    const { held } = chunk;
    try {
      // A hand-over would be a step in place.
      if (chunk.later.length > 0 && !chunk.hasProgress && held.receiptHandle !== undefined && !mayHaveRival(held)) {
        if (chunk.isVoid) await this.acknowledge(held);
        else await this.putBack(held);
        return;
      }
      if (chunk.later.length > 0 && !chunk.hasProgress && held.seat !== undefined) {
        held.seat.keep(held.message);
        return;
      }
      this.#charge(chunk);
      const how = await closeChunk(this.#closeDeps, chunk).catch((error: unknown) => {
        // What could not be stored goes on with whoever has the seat next: the seat is given back with it.
        held.seat?.keep(held.message);
        throw error;
      });
      const { gen } = chunk.message;
      log('info', `a chunk was ${how}`, {
        jobId: chunk.jobId,
        ...chunk.place,
        gen,
        items: chunk.message.count,
        left: chunk.later.length,
      });
      await this.acknowledge(held);
    } finally {
      this.#state.remove(chunk);
      await this.#holds.release(held);
    }
  }

  /** Puts the worker's time since the last charge on this chunk, so that all chunks together carry all of it. */
  #charge(chunk: OpenChunk): void {
    const now = this.#deps.clock.now();
    this.#watch.look();
    const requests = this.#requests.take();
    chunk.charge({
      ...chunk.job.takeSlow(),
      ...(this.#invocations === 0 ? requests : withFrame(requests)),
      invocations: this.#invocations,
      // A clock that was set back must not make it negative.
      billedMs: Math.max(0, now - this.#chargedAt),
      handOvers: chunk.later.length > 0 ? 1 : 0,
    });
    this.#invocations = 0;
    this.#chargedAt = now;
  }
}

/**
 * What an invocation asks for beside what it counts itself: Lambda receives its first message and deletes it, and after the last
 * charge it stores a result, deletes a message, and finds the queue empty.
 */
const frame: Requests = { s3Writes: 1, s3Reads: 0, sqsRequests: 4 };

const withFrame = ({ s3Writes, s3Reads, sqsRequests }: Requests): Requests => ({
  s3Writes: s3Writes + frame.s3Writes,
  s3Reads: s3Reads + frame.s3Reads,
  sqsRequests: sqsRequests + frame.sqsRequests,
});
