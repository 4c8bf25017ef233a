import { folderOf, type WorkMessage } from '../format/message.ts';
import { resultKey } from '../format/paths.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import { type HeldMessage, mayHaveRival, mayHaveRows } from './held-message.ts';
import type { Holds } from './holds.ts';
import type { JobFinder } from './job-finder.ts';
import { type KeptRows, readKeptRows } from './kept-rows.ts';
import { OpenChunk } from './open-chunk.ts';
import { loadItems } from './open-message.ts';
import { readHeld } from './read-held.ts';
import type { Runner } from './runner.ts';
import type { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** Turns a held message into an open chunk whose items are in line, or lets the message go. */
export class Opener {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #closer: Closer;
  readonly #runner: Runner;
  readonly #holds: Holds;
  readonly #jobs: JobFinder;
  /** Messages whose chunks are being read: they will need the slots that look free. */
  #opening = 0;

  constructor(
    deps: WorkerDeps,
    state: WorkerState,
    parts: { readonly closer: Closer; readonly runner: Runner; readonly holds: Holds; readonly jobs: JobFinder },
  ) {
    this.#deps = deps;
    this.#state = state;
    this.#closer = parts.closer;
    this.#runner = parts.runner;
    this.#holds = parts.holds;
    this.#jobs = parts.jobs;
  }

  /** Messages are being opened. */
  get isOpening(): boolean {
    return this.#opening > 0;
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
    const job = await this.#jobs.of(held);
    const isGone = job === undefined || job.cancelled.aborted;
    const kept = !isGone && held.seat !== undefined && mayHaveRows(held) ? this.#readKept(held) : undefined;
    kept?.catch(() => undefined);
    const hasResult =
      !isGone && (await this.#read(held, () => store.head(resultKey(folderOf(message), place)))) !== undefined;
    const inHand = this.#state.find(folderOf(message), place);
    if (inHand !== undefined && hasResult) await this.#closer.drop(inHand, { isSettled: true });
    else if (inHand !== undefined && !isGone && (await this.#keeps(inHand, held))) return;
    const isVoid = held.seat === undefined ? job?.pace.isVoid(message.gen) : false;
    if (isGone || hasResult || isVoid) {
      // Rows of a job that pauses are kept, and whoever resumes it has its unsettled chunks sent again.
      log('info', 'a message was dropped: its chunk is settled, cancelled, or given out anew', {
        jobId: message.job,
        ...place,
      });
      return this.#closer.acknowledge(held);
    }
    if (await this.#putBack(held, job)) return;
    await this.#load(held, job, kept);
  }

  /**
   * Whether a chunk in hand stays when a second message of it comes. One that another worker has handed over says that this worker stood
   * still too long: its own message is gone, and the other one counts. Of two others the one that has just come is in the queue for sure,
   * and the chunk is held by it from now on: the one before may have become a dead letter, or have been lost. A chunk that is on its way
   * out may need it after all.
   */
  async #keeps(inHand: OpenChunk, held: HeldMessage): Promise<boolean> {
    const isHandedOver = held.message.only !== undefined && held.message.gen > inHand.message.gen;
    const before = { ...inHand.held };
    if (before.messageId !== held.messageId && (inHand.closing || (inHand.isVoid && !isHandedOver)))
      await this.#closer.putBack(held, { delaySeconds: 1 });
    else if (isHandedOver) {
      await this.#closer.drop(inHand, { isSettled: false });
      return false;
    } else if (before.receiptHandle === undefined) await this.#closer.acknowledge(held);
    else {
      await this.#holds.release(held);
      inHand.held.messageId = held.messageId;
      inHand.held.receiptHandle = held.receiptHandle;
      this.#holds.take(inHand.held, true);
      if (before.messageId !== held.messageId) await this.#closer.acknowledge(before);
    }
    return true;
  }

  /** Puts a message back whose items could not end in time. */
  async #putBack(held: HeldMessage, job: RunningJob): Promise<boolean> {
    const { clock, deadline } = this.#deps;
    if (held.receiptHandle === undefined) return false;
    if (job.fits(clock.now(), deadline) && this.#deps.leaving?.aborted !== true) return false;
    await this.#closer.putBack(held);
    return true;
  }

  async #load(held: HeldMessage, job: RunningJob, begun: Promise<KeptRows> | undefined): Promise<void> {
    const { input, clock, log } = this.#deps;
    const { message } = held;
    const { manifest } = job;
    const hasRows = mayHaveRows(held) || job.pace.control.twins === true;
    const kept = hasRows ? await (begun ?? this.#readKept(held)) : undefined;
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
    if (inHand !== undefined && (await this.#keeps(inHand, held))) {
      this.#state.heldBytes -= heldBytes;
      return;
    }
    job.draining = false;
    job.openedAt = clock.now();
    const chunk = new OpenChunk({ held, job, kept, heldBytes, todo: items.length, now: clock.now() });
    chunk.counts = job.pace.stops?.begun(chunk.place, chunk.digest, { left: items.length, now: clock.now() });
    this.#state.add(chunk);
    if (mayHaveRival(held) && items.length > 0 && held.seat === undefined)
      this.#state.track(this.#closer.claim(chunk), message.job);
    const now = clock.now();
    const waits = waitsOf(message, now);
    for (const { index, jobIndex, attempts, about, content } of items) {
      const waitMs = waits.get(index) ?? 0;
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
          notBefore: now + waitMs,
          waitMs,
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

  #readKept(held: HeldMessage): Promise<KeptRows> {
    const isOnlyOne = held.seat !== undefined;
    return this.#read(held, () => readKeptRows(this.#deps.store, held.message, { isOnlyOne }));
  }

  #read<Value>(held: HeldMessage, act: () => Promise<Value>): Promise<Value> {
    return readHeld(this.#deps, { held, act, until: () => this.#state.endAt });
  }
}

/**
 * How long items of a message wait, in milliseconds, once it is here: the queue has kept it until the first of them could start, so
 * no item waits longer than it was to wait after that one, whatever the clocks of both processes are set to.
 */
function waitsOf({ waits = [], notBefore = 0 }: WorkMessage, now: number): ReadonlyMap<number, number> {
  return new Map(waits.map(([index, at]) => [index, Math.max(0, Math.min(at - notBefore, at - now))]));
}
