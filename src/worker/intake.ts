import { folderOf } from '../format/message.ts';
import { folderName } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { ReceivedMessage } from '../ports.ts';
import { Alarm } from './alarm.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import { type HeldBell, type HeldMessage, isBell, isSuspect, toHeldMessage } from './held-message.ts';
import type { Holds } from './holds.ts';
import type { Opener } from './opener.ts';
import { PullTimes } from './pull-times.ts';
import type { SeatDesk } from './seat-desk.ts';
import type { WorkerState } from './worker-state.ts';

/** A message is worth its request only if this much time is left to work on it. */
const pullMarginMs = 15_000;
/** Messages in one answer of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const maxReceived = 10;

/** The way into the worker: receives further messages while there are free slots, and looks for those of other jobs while there are none. */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #opener: Opener;
  readonly #holds: Holds;
  readonly #closer: Closer;
  readonly #times: PullTimes;
  readonly #alarm: Alarm;
  readonly #desk: SeatDesk;
  #receiving = false;

  constructor(
    deps: WorkerDeps,
    state: WorkerState,
    parts: { readonly closer: Closer; readonly opener: Opener; readonly holds: Holds; readonly desk: SeatDesk },
  ) {
    this.#deps = deps;
    this.#state = state;
    this.#opener = parts.opener;
    this.#holds = parts.holds;
    this.#closer = parts.closer;
    this.#times = new PullTimes(deps.clock.now());
    this.#alarm = new Alarm(deps.clock, () => state.changed.set());
    this.#desk = parts.desk;
  }

  /** Holds the event's own message, whose visibility is still the queue's, and opens it. */
  async openHeld(held: HeldMessage | HeldBell): Promise<void> {
    this.#holds.take(held, false);
    await this.#open(held);
  }

  async #open(held: HeldMessage | HeldBell): Promise<void> {
    if (!isBell(held)) return this.#opener.open(held);
    const againMs = await this.#desk.hear(held);
    if (againMs !== undefined) this.#times.expect(this.#deps.clock.now() + againMs);
  }

  /** Receives further messages if there is room, time, and no receive under way; else when it is time. */
  pull(): void {
    const waitMs = this.#waitMs();
    if (waitMs <= 0) this.#state.track(this.#receive());
    else if (Number.isFinite(waitMs)) this.#alarm.set(waitMs);
  }

  /** Forgets the time of the next receive. */
  close(): void {
    this.#alarm.cancel();
  }

  /** Milliseconds until the next receive may begin; infinite while something else has to happen first. */
  #waitMs(): number {
    const { clock, deadline } = this.#deps;
    const { mayPull, roomBytes } = this.#state;
    const now = clock.now();
    // A job that rests has nothing in line, and wants nothing; one that others have the seats of neither.
    const jobs = [...this.#state.jobs.values()].filter((job) => !job.pace.isPaused && !job.pace.isElsewhere);
    const isOpening = this.#opener.isOpening || this.#desk.isHearing;
    const isShut = !mayPull || this.#receiving || isOpening || roomBytes <= 0;
    const isLate = now + pullMarginMs > deadline || jobs.some((job) => !job.fits(now, deadline));
    // Whoever takes over begins while the last calls run here.
    if (isLate) this.#deps.places?.keep(1);
    return isShut || isLate ? Number.POSITIVE_INFINITY : this.#times.waitMs(jobs, now, deadline);
  }

  /** Slots of the job that has the most free ones. */
  #freeSlots(): number {
    const free = [...this.#state.jobs.values()].map((job) => job.pace.atOnce - job.running);
    return Math.max(0, Math.min(limits.maxConcurrency - this.#state.running, Math.max(0, ...free)));
  }

  /** Receives as many messages as seem to fill the free slots; an empty queue ends the pulling once nothing is in hand. */
  async #receive(): Promise<void> {
    const { queue, clock, leaseSeconds, holdSeconds = leaseSeconds } = this.#deps;
    this.#receiving = true;
    this.#times.began(clock.now());
    try {
      const stops = this.#state.jobs.values().some(({ pace }) => pace.stops !== undefined);
      const counts = this.#state.chunks.map((chunk) => chunk.message.count);
      const typicalItems = Math.max(stops ? limits.stopChunkItems : 1, ...counts);
      const wanted = Math.ceil(this.#freeSlots() / typicalItems);
      const room = Math.ceil(this.#state.roomBytes / limits.chunkBytes);
      const max = Math.max(1, Math.min(maxReceived, wanted, room));
      // Always a long poll: a short one asks only some of SQS's servers, and often finds a full queue empty.
      const waitSeconds = limits.receiveWaitSeconds;
      const received = await queue.receive({ max, waitSeconds, visibilitySeconds: holdSeconds });
      if (received.length === 0 && this.#state.chunks.length === 0 && this.#desk.isIdle) this.#state.mayPull = false;
      this.#sort(received);
    } catch (error) {
      // Without an end to it, a queue that refuses would be asked as fast as it can answer.
      this.#state.mayPull = false;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  /** Opens what can run soon, and puts back what would only stand in line. */
  #sort(received: readonly ReceivedMessage[]): void {
    const held = received.map((message) => toHeldMessage(message, this.#deps.log)).filter((one) => one !== undefined);
    const enough = held.filter((one) => !isBell(one) && this.#hasEnough(one));
    if (enough.length > 0 && enough.length === held.length) this.#times.useless();
    else this.#times.welcome();
    for (const one of held) {
      this.#holds.take(one, true);
      const isEnough = !isBell(one) && enough.includes(one);
      const work = isEnough ? this.#closer.putBack(one, { delaySeconds: 0 }) : this.#open(one);
      this.#state.track(work, one.message.job);
    }
  }

  /** Whether the message's job has a long line here. Items that a worker may have died of run apart, so they do not stand in it. */
  #hasEnough(held: HeldMessage): boolean {
    const job = this.#state.jobs.get(folderName(folderOf(held.message)));
    if (job === undefined || isSuspect(held)) return false;
    return job.hasLongLine || job.isHeldBack(this.#deps.clock.now(), this.#deps.deadline);
  }
}
