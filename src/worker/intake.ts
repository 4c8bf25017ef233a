import { readControl, readManifest } from '../folder/read.ts';
import type { Manifest } from '../format/manifest.ts';
import { folderOf } from '../format/message.ts';
import { folderName, resultKey } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { Task } from '../task/task.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import { type HeldMessage, isRedelivered, isSuspect, toHeldMessage } from './held-message.ts';
import type { Holds } from './holds.ts';
import { Isolation } from './isolate/isolation.ts';
import { readKeptRows } from './kept-rows.ts';
import { type ItemRun, OpenChunk } from './open-chunk.ts';
import { loadItems } from './open-message.ts';
import { persist } from './persist.ts';
import type { Runner } from './runner.ts';
import { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** A message is worth its request only if this much time is left to work on it. */
const pullMarginMs = 15_000;
/** Messages in one answer of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const maxReceived = 10;

/** The way into the worker: receives further messages while there are free slots, and opens their chunks. */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #closer: Closer;
  readonly #runner: Runner;
  readonly #holds: Holds;
  #isolation: Isolation<ItemRun> | undefined;
  #receiving = false;
  /** Messages whose chunks are being read: they will need the slots that look free. */
  #opening = 0;

  constructor(
    deps: WorkerDeps,
    state: WorkerState,
    parts: { readonly closer: Closer; readonly runner: Runner; readonly holds: Holds },
  ) {
    this.#holds = parts.holds;
    this.#deps = deps;
    this.#state = state;
    this.#closer = parts.closer;
    this.#runner = parts.runner;
  }

  /** Messages are being opened. */
  get isOpening(): boolean {
    return this.#opening > 0;
  }

  /** Receives further messages if there is room, time, and no receive under way. */
  pull(): void {
    if (this.#wantsMore()) this.#state.track(this.#receive());
  }

  #wantsMore(): boolean {
    const { clock, deadline } = this.#deps;
    const { jobs, mayPull, chunks, roomBytes } = this.#state;
    const now = clock.now();
    if (!mayPull || this.#receiving || this.#opening > 0 || roomBytes <= 0 || now + pullMarginMs > deadline)
      return false;
    const isHungry = (job: RunningJob): boolean =>
      job.ready.length === 0 && !(job.isRamping(now) && job.running >= job.slots(now)) && job.fits(now, deadline);
    return jobs.values().every(isHungry) && (chunks.length === 0 || this.#freeSlots() > 0);
  }

  #freeSlots(): number {
    const slots = Math.max(0, ...[...this.#state.jobs.values()].map((job) => job.manifest.options.concurrency));
    return Math.max(0, slots - this.#state.running);
  }

  /** Receives as many messages as seem to fill the free slots; an empty queue ends the pulling once nothing is in hand. */
  async #receive(): Promise<void> {
    const { queue, leaseSeconds, log } = this.#deps;
    this.#receiving = true;
    try {
      const typicalItems = Math.max(1, ...this.#state.chunks.map((chunk) => chunk.message.count));
      const wanted = Math.ceil(this.#freeSlots() / typicalItems);
      const room = Math.ceil(this.#state.roomBytes / limits.chunkBytes);
      const max = Math.max(1, Math.min(maxReceived, wanted, room));
      // Always a long poll: a short one asks only some of SQS's servers, and often finds a full queue empty.
      const waitSeconds = limits.receiveWaitSeconds;
      const received = await queue.receive({ max, waitSeconds, visibilitySeconds: leaseSeconds });
      if (received.length === 0 && this.#state.chunks.length === 0) this.#state.mayPull = false;
      for (const message of received) {
        const held = toHeldMessage(message, log);
        if (held === undefined) continue;
        this.#holds.take(held, true);
        this.#state.track(this.open(held), held.message.job);
      }
    } catch (error) {
      // Without an end to it, a queue that refuses would be asked as fast as it can answer.
      this.#state.mayPull = false;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  /** Holds the event's own message, whose visibility is still the queue's, and opens it. */
  async openHeld(held: HeldMessage): Promise<void> {
    this.#holds.take(held, false);
    await this.open(held);
  }

  /** Opens the chunk that a message stands for, drops the message, or puts it back. */
  async open(held: HeldMessage): Promise<void> {
    this.#opening++;
    try {
      await this.#open(held);
    } catch (error) {
      await this.#holds.release(held);
      throw error;
    } finally {
      this.#opening--;
    }
  }

  async #open(held: HeldMessage): Promise<void> {
    const { store, log } = this.#deps;
    const { message } = held;
    const place = { part: message.part, chunk: message.chunk };
    const job = await this.#jobOf(held);
    const isSettled =
      job === undefined ||
      job.cancelled.aborted ||
      (await this.#read(held, () => store.head(resultKey(folderOf(message), place)))) !== undefined;
    const inHand = this.#state.find(folderOf(message), place);
    if (inHand !== undefined && !isSettled) return this.#dropDuplicate(held, inHand);
    if (isSettled) {
      log('info', 'a message was dropped: its chunk is settled or cancelled', {
        jobId: message.job,
        ...place,
      });
      return this.#closer.acknowledge(held);
    }
    if (await this.#putBack(held, job)) return;
    await this.#load(held, job);
  }

  /** A second message of a chunk in hand is not needed; the chunk's own, come again, is its only one and must stay. */
  async #dropDuplicate(held: HeldMessage, inHand: OpenChunk): Promise<void> {
    if (inHand.held.messageId === held.messageId) {
      await this.#holds.release(held);
      inHand.held.receiptHandle = held.receiptHandle;
      this.#holds.take(inHand.held, true);
    } else await this.#closer.acknowledge(held);
  }

  /** Puts a message back whose items must not start yet, or could not end in time. */
  async #putBack(held: HeldMessage, job: RunningJob): Promise<boolean> {
    const { queue, clock, deadline } = this.#deps;
    if (held.receiptHandle === undefined) return false;
    const now = clock.now();
    const waitMs = (held.message.notBefore ?? 0) - now;
    if (waitMs > 0) {
      const seconds = Math.min(limits.maxDelaySeconds, Math.ceil(waitMs / 1_000));
      await this.#holds.release(held);
      await queue.changeVisibility(held.receiptHandle, seconds);
      return true;
    }
    if (job.fits(now, deadline) && this.#deps.leaving?.aborted !== true) return false;
    await this.#closer.putBack(held);
    return true;
  }

  async #load(held: HeldMessage, job: RunningJob): Promise<void> {
    const { input, clock, store, log } = this.#deps;
    const { message } = held;
    const { manifest } = job;
    const kept = isRedelivered(held) ? await this.#read(held, () => readKeptRows(store, message)) : undefined;
    if (kept?.goesOnElsewhere === true) {
      log('info', 'a message was dropped: a later one goes on with its chunk', {
        jobId: message.job,
        gen: message.gen,
      });
      return this.#closer.acknowledge(held);
    }
    const heldBytes = message.range[1] - message.range[0] + 1;
    this.#state.heldBytes += heldBytes;
    const raw = job.isolation !== undefined;
    const items = await this.#read(held, () =>
      loadItems(input, { manifest, message, task: job.task, kept: kept?.rows, raw }),
    ).catch((error: unknown) => {
      this.#state.heldBytes -= heldBytes;
      throw error;
    });
    const inHand = this.#state.find(folderOf(message), { part: message.part, chunk: message.chunk });
    if (inHand !== undefined) {
      this.#state.heldBytes -= heldBytes;
      return this.#dropDuplicate(held, inHand);
    }
    const chunk = new OpenChunk({ held, job, kept, heldBytes, todo: items.length, now: clock.now() });
    this.#state.add(chunk);
    if (kept !== undefined && items.length > 0) this.#state.track(this.#closer.claim(chunk), message.job);
    const waits = new Map(message.waits ?? []);
    for (const { index, jobIndex, attempts, about, content } of items) {
      const notBefore = waits.get(index) ?? 0;
      if (content.ok)
        this.#runner.add(job, {
          chunk,
          index,
          jobIndex,
          item: content.item,
          about,
          attempts,
          refusals: 0,
          callMs: 0,
          notBefore,
        });
      else
        chunk.settle(
          { index, ...about, status: 'failed', error: content.error, attempts, durationMs: 0 },
          { bytes: 0, callMs: 0 },
        );
    }
    if (job.cancelled.aborted) this.#runner.cancel(job);
    this.#closer.check(chunk);
  }

  /** Reads from S3 for as long as there is time: the message is held meanwhile, so its delivery is not lost. */
  #read<Value>(held: HeldMessage, act: () => Promise<Value>): Promise<Value> {
    const { leaving } = this.#deps;
    return persist(this.#deps, {
      what: 'a chunk was not read',
      fields: { jobId: held.message.job, messageId: held.messageId },
      act,
      until: () => (leaving?.aborted === true ? 0 : this.#state.endAt),
    });
  }

  /** Ends the process of the items that run apart. */
  close(): void {
    this.#isolation?.close();
  }

  /** The job of a message; items that a worker may have died of run apart from all others. */
  async #jobOf(held: HeldMessage): Promise<RunningJob | undefined> {
    const { store, clock, log, startChild } = this.#deps;
    const { jobs } = this.#state;
    const folder = folderOf(held.message);
    if (isSuspect(held) && startChild !== undefined) {
      this.#isolation ??= new Isolation(startChild, (run, error) => this.#runner.chargeRejection(run, error));
    }
    const isolation = isSuspect(held) && this.#isolation?.works === true ? this.#isolation : undefined;
    const name = isolation === undefined ? folderName(folder) : `${folderName(folder)} apart`;
    const known = jobs.get(name);
    if (known !== undefined) return known;
    const [manifest, control] = await this.#read(held, () =>
      Promise.all([readManifest(store, folder), readControl(store, folder)]),
    );
    const task = manifest === undefined ? undefined : await this.#taskOf(manifest);
    const raced = jobs.get(name);
    if (raced !== undefined) return raced;
    if (manifest === undefined) {
      log('warn', 'a message of a job without a manifest was dropped', { jobId: folder.id });
      return undefined;
    }
    const job = new RunningJob(manifest, task, clock.now(), isolation);
    if (control?.state === 'cancelled') job.cancel();
    jobs.set(name, job);
    return job;
  }

  /** A task whose module fails fails its items, as one that is not there; why is told by the log. */
  #taskOf({ jobId, task }: Manifest): Promise<Task | undefined> {
    const { tasks, log } = this.#deps;
    return tasks.load(task).catch((error: unknown) => {
      log('error', `the task "${task}" cannot be loaded`, { jobId, error: String(error) });
      return undefined;
    });
  }
}
