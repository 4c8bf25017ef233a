import type { SeenControl } from '../folder/control.ts';
import type { Control } from '../format/control.ts';
import { generationOf } from '../format/message.ts';
import { dealsAlike, noShare, type Share, seatsAtWork, shareOf } from '../format/share.ts';
import { limits } from '../limits.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { Breaker } from './breaker.ts';
import { Gate } from './gate.ts';
import { Meter } from './meter.ts';
import type { StopShare } from './stop-share.ts';

/** What a job's pace in this worker depends on from its start. */
export interface PaceStart {
  readonly now: number;
  readonly control: Control;
  /** For how long it has stood at least. @default 0 */
  readonly ageMs?: number;
  /** Calls at once here, where no limit says less. */
  readonly concurrency: number;
  /** Those of how many workers are here. @default one's */
  readonly places?: { readonly held: number } | undefined;
  readonly timeoutMs: number;
  /** Workers among which the job is shared where it has no seats. @default 1 */
  readonly workers?: number;
}

/** A seat that is held here. */
interface HeldRight {
  readonly seat: number;
  /** Whether a call may start under it at this moment. */
  isLive(now: number): boolean;
  /** Calls of its share that an earlier holder has under way. */
  taken(now: number): number;
}

const unlimited = { perSecond: Number.POSITIVE_INFINITY, unitsPerSecond: Number.POSITIVE_INFINITY };

/** How fast one job may go in this worker: what its control says, the seats that are held here, and the gate that both open. */
export class Pace {
  readonly gate: Gate;
  readonly meter = new Meter();
  /** Seats of a limited job that are held here: its calls start under them alone. */
  readonly seats = new Set<HeldRight>();
  /** What may be begun here of a job that stops at some count. */
  stops: StopShare | undefined;
  /** What settled here is this worker's part of what was left to a stop, and waits for a turn: no further chunk in line begins. */
  isReached = false;
  readonly #start: PaceStart;
  #control: Control;
  #dealtSince: number;
  /** Since when, at the latest, the control's revision has stood, and when the last good look at it began. */
  #stoodSince: number;
  #lookedAt: number;
  #breaker: Breaker | undefined;

  constructor(start: PaceStart) {
    const { now, control, ageMs = 0 } = start;
    const { rampMs, adaptive = true } = control.table.limits;
    this.#start = start;
    this.#control = control;
    this.#dealtSince = control.revision;
    this.#stoodSince = now - ageMs;
    this.#lookedAt = now;
    this.#breaker = breakerOf(control);
    const share = this.#shareAt(now);
    // What somebody asks for is kept to.
    const ramp = { rampMs: rampMs ?? (this.needsSeats ? 0 : limits.rampMs), isEager: rampMs === undefined };
    this.gate = new Gate({ now, share, ...ramp, adaptive });
    const { hold, revision } = control;
    if (hold?.revision === revision) this.gate.hold(now, hold.ms - ageMs);
  }

  get control(): Control {
    return this.#control;
  }

  get limits(): JobLimits {
    return this.#control.table.limits;
  }

  get isPaused(): boolean {
    return this.#control.state === 'paused';
  }

  /** Whether the job's chunks are run by whoever has a seat, and not by messages. */
  get needsSeats(): boolean {
    return needsSeats(this.limits);
  }

  /** Whether the job is limited and no seat of it is held here. */
  get isElsewhere(): boolean {
    return this.needsSeats && this.seats.size === 0;
  }

  /** Whether a message of generation `gen` stands for nothing any more: the job pauses, is run by seats, or has given its chunks out anew. */
  isVoid(gen: number): boolean {
    return this.isPaused || this.needsSeats || generationOf(gen) < this.#control.generation;
  }

  /** Whether the control may have changed since it was read. */
  isOld(now: number): boolean {
    return now < this.#lookedAt || now - this.#lookedAt > limits.controlMs;
  }

  /** Whether the control was read so lately that a limited job may act on it. */
  isFresh(now: number): boolean {
    return now >= this.#lookedAt && now - this.#lookedAt <= limits.controlStaleMs;
  }

  /** The revision of the control since which each chunk belongs to the same seat, as far as is known here. */
  get dealtSince(): number {
    return this.#dealtSince;
  }

  /** Whether everybody must know by now whose each chunk is, so that one may be begun that was another's. */
  isSettled(now: number): boolean {
    const { table, before } = this.#control;
    const sinceSeenMs = now - this.#stoodSince;
    return before.every((old) => dealsAlike(old, table) || sinceSeenMs + old.agedMs >= limits.raiseAfterMs);
  }

  /** A look at the control came back that began at `beganAt`; undefined is a job that nobody has steered. */
  saw(seen: SeenControl | undefined, beganAt: number, now: number): void {
    this.#lookedAt = beganAt;
    if (seen === undefined || seen.control.revision <= this.#control.revision) return;
    const { control, ageMs } = seen;
    const { hold, brake, table } = control;
    const isNew = (since: { readonly revision: number }): boolean => since.revision > this.#control.revision;
    if (hold !== undefined && isNew(hold)) this.gate.hold(now, hold.ms - ageMs);
    const { breaker } = table.limits;
    // Whoever resumes a job, or gives it another breaker, has looked at what failed.
    if (breaker !== this.limits.breaker || this.isPaused) this.#breaker = breakerOf(control);
    // Each seat has found its part of what the downstream takes: with fewer seats at work the parts are larger.
    if (brake !== undefined && isNew(brake))
      this.gate.inheritBrake(now, brake.perSecond * Math.max(1, this.seats.size));
    else if (this.needsSeats && needsSeats(table.limits))
      this.gate.scaleBrake(now, seatsAtWork(this.#control.table) / seatsAtWork(table));
    const tables = [this.#control.table, ...control.before];
    const isDealtAlike =
      control.generation === this.#control.generation && tables.every((old) => dealsAlike(old, table));
    if (!isDealtAlike) this.#dealtSince = control.revision;
    this.#control = control;
    this.#stoodSince = now - ageMs;
    this.gate.adaptive = control.table.limits.adaptive ?? true;
    this.update(now);
  }

  /** A seat is held here from now on; `brakedTo` is the pace to which refusals had brought its last holder. */
  takes(seat: HeldRight, now: number, brakedTo: number | undefined): void {
    const { size } = this.seats;
    this.seats.add(seat);
    if (size > 0) this.gate.scaleBrake(now, (size + 1) / size);
    else if (brakedTo !== undefined) this.gate.inheritBrake(now, brakedTo);
    this.update(now);
  }

  /** A seat is held here no more: of what the downstream takes, its part is another's. */
  leaves(seat: HeldRight, now: number): void {
    const { size } = this.seats;
    if (!this.seats.delete(seat) || size === 1) return;
    this.gate.scaleBrake(now, (size - 1) / size);
  }

  /** Opens the gate as far as control, seats, and turns allow at this moment. */
  update(now: number): void {
    this.gate.share = this.#shareAt(now);
    this.isReached = this.stops?.isReached(this.limits, this.#part, now) ?? false;
  }

  /** Calls at once here, where no limit says less. */
  get atOnce(): number {
    const { concurrency, places } = this.#start;
    return Math.min(limits.maxConcurrency, concurrency * (places?.held ?? 1));
  }

  /** Whether no further chunk may be begun here, before a turn has counted those that were. */
  isHeldBack(now: number): boolean {
    return this.stops?.isUsedUp(this.limits, this.#part, now) ?? false;
  }

  /** How many items may be begun here at once, so that a job which ends at a number of successes does not go far beyond it. */
  room(now: number): number {
    return this.stops?.room(this.limits, this.#part, now) ?? Number.POSITIVE_INFINITY;
  }

  /** Which part of the job is this worker's. */
  get #part(): number {
    const { places, workers = 1 } = this.#start;
    return this.needsSeats ? this.seats.size / seatsAtWork(this.#control.table) : (places?.held ?? 1) / workers;
  }

  /** Whether its calls at once are bound by what one worker holds, and not by its share. */
  get isBoundByWorker(): boolean {
    return this.needsSeats && this.gate.share.calls >= limits.maxConcurrency;
  }

  /** Calls at once under all seats held here but one. */
  callsWithout(seat: HeldRight, now: number): number {
    return this.#sumOf(
      [...this.seats].filter((other) => other !== seat),
      now,
    ).calls;
  }

  /** Whether so many of the last outcomes failed that the job has to rest. */
  get isBroken(): boolean {
    return this.#breaker?.isTripped === true;
  }

  /** Counts an item that has settled here. */
  counted(failed: boolean): void {
    this.#breaker?.count(failed);
  }

  #shareAt(now: number): Share {
    // Whoever has seen too much fail stops at once; the others hear of it with the next look at the control.
    if (this.isPaused || this.isBroken) return noShare;
    if (!this.needsSeats) return { calls: this.atOnce, ...unlimited };
    return this.isFresh(now) ? this.#sumOf([...this.seats], now) : noShare;
  }

  #sumOf(seats: readonly HeldRight[], now: number): Share {
    const at = { sinceSeenMs: now - this.#stoodSince, timeoutMs: this.#start.timeoutMs };
    const shares = seats
      .filter((one) => one.isLive(now))
      .map((one) => {
        const share = shareOf(this.#control, one.seat, at);
        return { ...share, calls: Math.max(0, share.calls - one.taken(now)) };
      });
    return shares.reduce(
      (sum, share) => ({
        calls: Math.min(limits.maxConcurrency, sum.calls + share.calls),
        perSecond: sum.perSecond + share.perSecond,
        unitsPerSecond: sum.unitsPerSecond + share.unitsPerSecond,
      }),
      noShare,
    );
  }
}

const breakerOf = ({ table }: Control): Breaker | undefined =>
  table.limits.breaker === undefined ? undefined : new Breaker(table.limits.breaker);
