import { readControl, readManifest } from '../folder/read.ts';
import { resultKey } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import { type Spark, toSpark } from './held-message.ts';
import { OpenChunk } from './open-chunk.ts';
import { loadItems } from './open-message.ts';
import type { Runner } from './runner.ts';
import { Lane } from './running-job.ts';
import type { Holdings } from './worker-state.ts';

/** A message is worth its request only if this much time is left to work on it. */
const pullMarginMs = 15_000;
/** Messages in one answer of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const maxReceived = 10;

/** The way into the worker: receives further messages while there are free slots, and opens their chunks. */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #holdings: Holdings;
  readonly #closer: Closer;
  readonly #runner: Runner;
  #receiving = false;
  /** Messages whose chunks are being read: they will need the slots that look free. */
  #opening = 0;

  constructor(deps: WorkerDeps, holdings: Holdings, parts: { readonly closer: Closer; readonly runner: Runner }) {
    this.#deps = deps;
    this.#holdings = holdings;
    this.#closer = parts.closer;
    this.#runner = parts.runner;
  }

  /** Receives further messages if there is room, time, and no receive under way. */
  pull(): void {
    if (this.#wantsMore()) this.#holdings.own(this.#receive());
  }

  #wantsMore(): boolean {
    const { clock, deadline } = this.#deps;
    const { lanes, mayPull, chunks, roomBytes } = this.#holdings;
    const now = clock.now();
    if (!mayPull || this.#receiving || this.#opening > 0 || roomBytes <= 0 || now + pullMarginMs > deadline)
      return false;
    const isHungry = (lane: Lane): boolean =>
      lane.ready.length === 0 && !(lane.isRamping(now) && lane.running >= lane.slots(now)) && lane.fits(now, deadline);
    return lanes.values().every(isHungry) && (chunks.length === 0 || this.#freeSlots() > 0);
  }

  #freeSlots(): number {
    const slots = Math.max(0, ...[...this.#holdings.lanes.values()].map((lane) => lane.manifest.options.concurrency));
    return Math.max(0, slots - this.#holdings.running);
  }

  /** Receives as many messages as seem to fill the free slots; an empty queue ends the pulling once nothing is in hand. */
  async #receive(): Promise<void> {
    const { queue, leaseSeconds, log } = this.#deps;
    this.#receiving = true;
    try {
      const typicalItems = Math.max(1, ...this.#holdings.chunks.map((chunk) => chunk.message.count));
      const wanted = Math.ceil(this.#freeSlots() / typicalItems);
      const room = Math.ceil(this.#holdings.roomBytes / limits.chunkBytes);
      const max = Math.max(1, Math.min(maxReceived, wanted, room));
      // Always a long poll: a short one asks only some of SQS's servers, and often finds a full queue empty.
      const waitSeconds = limits.receiveWaitSeconds;
      const received = await queue.receive({ max, waitSeconds, visibilitySeconds: leaseSeconds });
      if (received.length === 0 && this.#holdings.chunks.length === 0) this.#holdings.mayPull = false;
      for (const message of received) {
        const spark = toSpark(message, log);
        if (spark !== undefined) this.#holdings.own(this.open(spark), spark.message.job);
      }
    } catch (error) {
      // Without an end to it, a queue that refuses would be asked as fast as it can answer.
      this.#holdings.mayPull = false;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  /** Holds the event's own message, whose visibility is still the queue's, and opens it. */
  async openHeld(spark: Spark): Promise<void> {
    const { queue, leaseSeconds } = this.#deps;
    if (spark.receiptHandle !== undefined) await queue.changeVisibility(spark.receiptHandle, leaseSeconds);
    await this.open(spark);
  }

  /** Opens the chunk that a message stands for, drops the message, or puts it back. */
  async open(spark: Spark): Promise<void> {
    this.#opening++;
    try {
      await this.#open(spark);
    } finally {
      this.#opening--;
    }
  }

  async #open(spark: Spark): Promise<void> {
    const { store, log } = this.#deps;
    const { message } = spark;
    const place = { part: message.part, chunk: message.chunk };
    const lane = await this.#laneOf(message.job);
    const isSettled =
      lane === undefined || lane.cancelled.aborted || (await store.head(resultKey(message.job, place))) !== undefined;
    const inHand = this.#holdings.find(message.job, place);
    if (inHand !== undefined && !isSettled) return this.#meet(spark, inHand);
    if (isSettled) {
      log('info', 'a message was dropped: its chunk is settled or cancelled', {
        jobId: message.job,
        ...place,
      });
      return this.#closer.prove(spark);
    }
    if (await this.#putBack(spark, lane)) return;
    await this.#load(spark, lane);
  }

  /** A second message of a chunk in hand is not needed; the chunk's own, come again, is its only one and must stay. */
  async #meet(spark: Spark, inHand: OpenChunk): Promise<void> {
    if (inHand.messageId === spark.messageId) inHand.receiptHandle = spark.receiptHandle;
    else await this.#closer.prove(spark);
  }

  /** Puts a message back whose items must not start yet, or could not end in time. */
  async #putBack(spark: Spark, lane: Lane): Promise<boolean> {
    const { queue, clock, deadline } = this.#deps;
    if (spark.receiptHandle === undefined) return false;
    const now = clock.now();
    const waitMs = (spark.message.notBefore ?? 0) - now;
    if (waitMs > 0) {
      const seconds = Math.min(limits.maxDelaySeconds, Math.ceil(waitMs / 1_000));
      await queue.changeVisibility(spark.receiptHandle, seconds);
      return true;
    }
    if (lane.fits(now, deadline)) return false;
    await this.#closer.putBack(spark);
    return true;
  }

  async #load(spark: Spark, lane: Lane): Promise<void> {
    const { input, clock, tasks } = this.#deps;
    const { message } = spark;
    const { manifest } = lane;
    const heldBytes = message.range[1] - message.range[0] + 1;
    this.#holdings.heldBytes += heldBytes;
    const items = await loadItems(input, { manifest, message, task: tasks[manifest.task] }).catch((error: unknown) => {
      this.#holdings.heldBytes -= heldBytes;
      throw error;
    });
    const inHand = this.#holdings.find(message.job, { part: message.part, chunk: message.chunk });
    if (inHand !== undefined) {
      this.#holdings.heldBytes -= heldBytes;
      return this.#meet(spark, inHand);
    }
    const chunk = new OpenChunk({ ...spark, manifest, heldBytes, todo: items.length, now: clock.now() });
    this.#holdings.add(chunk);
    const waits = new Map(message.waits ?? []);
    for (const { index, attempts, content } of items) {
      const notBefore = waits.get(index) ?? 0;
      if (content.ok) this.#runner.add(lane, { chunk, index, item: content.item, attempts, callMs: 0, notBefore });
      else
        chunk.settle(
          { index, status: 'failed', error: content.error, attempts, durationMs: 0 },
          { bytes: 0, callMs: 0 },
        );
    }
    if (lane.cancelled.aborted) this.#runner.cancel(lane);
    this.#closer.check(chunk);
  }

  async #laneOf(jobId: string): Promise<Lane | undefined> {
    const { store, clock, tasks, log } = this.#deps;
    const { lanes } = this.#holdings;
    const known = lanes.get(jobId);
    if (known !== undefined) return known;
    const [manifest, control] = await Promise.all([readManifest(store, jobId), readControl(store, jobId)]);
    const raced = lanes.get(jobId);
    if (raced !== undefined) return raced;
    if (manifest === undefined) {
      log('warn', 'a message of a job without a manifest was dropped', { jobId });
      return undefined;
    }
    const lane = new Lane(manifest, tasks[manifest.task], clock.now());
    if (control?.state === 'cancelled') lane.cancel();
    lanes.set(jobId, lane);
    return lane;
  }
}
