import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import { type HeldMessage, toHeldMessage } from './held-message.ts';
import type { Holds } from './holds.ts';
import type { Opener } from './opener.ts';
import type { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** A message is worth its request only if this much time is left to work on it. */
const pullMarginMs = 15_000;
/** Messages in one answer of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const maxReceived = 10;

/** The way into the worker: receives further messages while there are free slots. */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #opener: Opener;
  readonly #holds: Holds;
  #receiving = false;

  constructor(deps: WorkerDeps, state: WorkerState, parts: { readonly opener: Opener; readonly holds: Holds }) {
    this.#deps = deps;
    this.#state = state;
    this.#opener = parts.opener;
    this.#holds = parts.holds;
  }

  /** Holds the event's own message, whose visibility is still the queue's, and opens it. */
  async openHeld(held: HeldMessage): Promise<void> {
    this.#holds.take(held, false);
    await this.#opener.open(held);
  }

  /** Receives further messages if there is room, time, and no receive under way. */
  pull(): void {
    if (this.#wantsMore()) this.#state.track(this.#receive());
  }

  #wantsMore(): boolean {
    const { clock, deadline } = this.#deps;
    const { jobs, mayPull, chunks, roomBytes } = this.#state;
    const now = clock.now();
    if (!mayPull || this.#receiving || this.#opener.isOpening || roomBytes <= 0 || now + pullMarginMs > deadline)
      return false;
    const isHungry = (job: RunningJob): boolean =>
      job.ready.length === 0 && !(job.isRamping(now) && job.running >= job.slots(now)) && job.fits(now, deadline);
    return (
      jobs.values().every((job) => job.pace.isPaused || isHungry(job)) && (chunks.length === 0 || this.#freeSlots() > 0)
    );
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
        this.#state.track(this.#opener.open(held), held.message.job);
      }
    } catch (error) {
      // Without an end to it, a queue that refuses would be asked as fast as it can answer.
      this.#state.mayPull = false;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }
}
