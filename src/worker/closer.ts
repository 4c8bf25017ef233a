import { encodeMessage } from '../format/message.ts';
import { folderName } from '../format/paths.ts';
import { limits } from '../limits.ts';
import { type CloseDeps, closeChunk, storeSegment } from './close-chunk.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldMessage } from './held-message.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { OpenChunk } from './open-chunk.ts';
import type { WorkerState } from './worker-state.ts';

/** S3 is given this time before rows that it did not take are stored again. */
const storeAgainMs = 1_000;

/** The way out of the worker: stores chunks, and deletes a message only when its chunk is settled for good. */
export class Closer {
  readonly #deps: WorkerDeps;
  readonly #closeDeps: CloseDeps;
  readonly #state: WorkerState;
  readonly #watch: LoopWatch;
  /** Ids of messages that need not come back. */
  readonly acknowledged = new Set<string>();
  #chargedAt: number;
  /** The invocation itself is charged to the first chunk that it stores. */
  #invocations = 1;

  constructor(deps: WorkerDeps, state: WorkerState, watch: LoopWatch) {
    this.#watch = watch;
    this.#deps = deps;
    let segments = 0;
    this.#closeDeps = { ...deps, nextSegment: () => segments++ };
    this.#state = state;
    this.#chargedAt = deps.clock.now();
  }

  /** Stores a chunk when nothing of it is to be done here; stores rows early when they are many or old, or memory is full of them. */
  check(chunk: OpenChunk): void {
    if (chunk.isFinished) {
      if (chunk.closing) return;
      chunk.closing = true;
      this.#state.track(this.#close(chunk), chunk.jobId);
      return;
    }
    if (chunk.isStoring || !chunk.hasRows) return;
    const isOld = this.#deps.clock.now() - chunk.checkpointAt >= limits.checkpointMs;
    if (!isOld && chunk.rowBytes < limits.segmentBytes && !this.#state.isFullOfRows) return;
    chunk.isStoring = true;
    // Closing waits for it.
    chunk.storing = this.#storeEarly(chunk);
  }

  async #storeEarly(chunk: OpenChunk): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      await storeSegment(this.#closeDeps, chunk);
    } catch (error) {
      log('warn', 'rows were not stored early and stay in hand', { jobId: chunk.jobId, error: String(error) });
      await new Promise<void>((resolve) => void clock.after(storeAgainMs, resolve));
    }
    chunk.isStoring = false;
    this.#state.changed.set();
  }

  /** The message is settled for good: nothing is lost when it is deleted. */
  async acknowledge(held: Pick<HeldMessage, 'messageId' | 'receiptHandle'>): Promise<void> {
    this.acknowledged.add(held.messageId);
    if (held.receiptHandle !== undefined) await this.#deps.queue.delete(held.receiptHandle);
  }

  /** Puts a message back of which nothing was begun: as a new one, since its next receive must not count towards its death. */
  async putBack(held: HeldMessage): Promise<void> {
    this.#state.mayPull = false;
    await this.#deps.queue.send([encodeMessage(held.message)], { group: held.message.job });
    await this.acknowledge(held);
  }

  async #close(chunk: OpenChunk): Promise<void> {
    const { log } = this.#deps;
    try {
      // A hand-over would be a step in place.
      if (chunk.later.length > 0 && !chunk.hasProgress && chunk.receiptHandle !== undefined) {
        await this.putBack(chunk);
        return;
      }
      this.#charge(chunk);
      const how = await closeChunk(this.#closeDeps, chunk);
      const { gen } = chunk.message;
      log('info', `a chunk was ${how}`, {
        jobId: chunk.jobId,
        ...chunk.place,
        gen,
        items: chunk.message.count,
        left: chunk.later.length,
      });
      await this.acknowledge(chunk);
    } finally {
      this.#state.remove(chunk);
    }
  }

  /** Puts the worker's time since the last charge on this chunk, so that all chunks together carry all of it. */
  #charge(chunk: OpenChunk): void {
    const now = this.#deps.clock.now();
    this.#watch.look();
    const slow = this.#state.jobs.get(folderName(chunk.folder))?.takeSlow() ?? { slowCallbacks: 0, slowestMs: 0 };
    chunk.charge({
      ...slow,
      invocations: this.#invocations,
      // A clock that was set back must not make it negative.
      billedMs: Math.max(0, now - this.#chargedAt),
      handOvers: chunk.later.length > 0 ? 1 : 0,
    });
    this.#invocations = 0;
    this.#chargedAt = now;
  }
}
