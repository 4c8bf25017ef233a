import { readSeat, readSeats } from '../folder/seats.ts';
import type { WorkMessage } from '../format/message.ts';
import { seatKey } from '../format/paths.ts';
import { type SeatLoad, type SeatNote, seatFormat } from '../format/seat.ts';
import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import { failRest, mostDeaths } from './fail-rest.ts';
import type { HeldMessage } from './held-message.ts';
import type { RunningJob } from './running-job.ts';
import { Drain } from './seat-drain.ts';
import { inheritance, SeatLease } from './seat-lease.ts';
import { placeName, SeatScan } from './seat-scan.ts';

/** Chunks that are begun by one write of the note. */
const chunksAtOnce = 10;
/** A note that S3 did not take is written again after this time. */
const againMs = 1_000;
/** A note says anew how many calls are under way when this part of them has ended. */
const drainStep = 0.2;
/** Items in line are to last for this time, so that reading the next chunk is no gap. */
const aheadMs = 5_000;

/** A seat that this invocation holds, and its way through the seat's chunks: one after another, without messages. */
export class HeldSeat {
  readonly job: RunningJob;
  readonly #deps: WorkerDeps;
  #lease: SeatLease;
  readonly #drain: Drain;
  /** Its share is the next holder's, while calls under it are on their way: how many of them its note says, once that was tried. */
  #parting: { noted: number } | undefined;
  #notedAt = 0;
  readonly #open = new Map<string, WorkMessage>();
  #hand: WorkMessage[];
  #scan: SeatScan | undefined;
  #writing: Promise<boolean> | undefined;
  #notBefore = 0;
  /** Until when units keep the next start waiting, as the note says; milliseconds since the epoch. */
  #owedUntil = 0;
  /** The revision and the chunk up to which nothing is left to do. */
  #done: SeatNote['done'];

  constructor(deps: WorkerDeps, job: RunningJob, lease: SeatLease) {
    this.#deps = deps;
    this.job = job;
    this.#lease = lease;
    this.#hand = [...lease.hand];
    this.#drain = new Drain(deps, job.folder, lease.drain);
  }

  get seat(): number {
    return this.#lease.seat;
  }

  isLive(now: number): boolean {
    return this.#lease.isLive(now);
  }

  /** Chunks that are begun and not settled. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  /** Every chunk of the seat that is given out now has been begun, or is another's. */
  get isScanned(): boolean {
    return this.#done !== undefined && this.#done.revision === this.job.pace.control.revision;
  }

  /** Nothing is left to start: of its last chunks some calls are under way. */
  get isOver(): boolean {
    const { ready, waiting } = this.job;
    return this.isScanned && this.#hand.length === 0 && ready.length === 0 && waiting.size === 0;
  }

  /** Calls of its share that an earlier holder has under way. */
  taken(now: number): number {
    return this.#drain.at(now)?.running ?? 0;
  }

  /** An earlier holder has something under way, and may leave what is left of it. */
  awaitsRest(now: number): boolean {
    return this.#drain.at(now) !== undefined;
  }

  /** Whether it was tried to leave its share to the next holder before its calls had ended. */
  get isParting(): boolean {
    return this.#parting !== undefined;
  }

  get hand(): readonly WorkMessage[] {
    return this.#hand;
  }

  /** When the next chunk in hand may go on; undefined when none is. */
  get nextAt(): number | undefined {
    return this.#hand.length === 0 ? undefined : Math.min(...this.#hand.map(({ notBefore = 0 }) => notBefore));
  }

  /** The chunk is settled: nothing of it is left to do. */
  finished(message: WorkMessage): void {
    this.#open.delete(placeName(message));
  }

  /** What is left of a chunk goes on later, here or with the next holder. */
  keep(message: WorkMessage): void {
    this.#open.delete(placeName(message));
    this.#hand.push(message);
  }

  /** Begins chunks when the items in line will not last; resolves to those that may be opened now. */
  async begin(inLine: number): Promise<readonly HeldMessage[]> {
    const { clock } = this.#deps;
    const { pace } = this.job;
    const now = clock.now();
    if (now < this.#notBefore || !this.isLive(now) || !pace.isFresh(now)) return [];
    const { revision } = pace.control;
    const picked = await this.#pickOrLeave(this.#wanted(inLine));
    if (picked.length === 0) return [];
    // Before its first call, so that whoever comes after a crash knows what ran. A change of the table since then may have given it away.
    const isNoted = await this.write();
    const isStill = this.isLive(clock.now()) && pace.isFresh(clock.now()) && pace.control.revision === revision;
    if (isNoted && isStill) return picked.map((message) => this.#heldOf(message));
    if (!isNoted) this.#notBefore = clock.now() + againMs;
    for (const message of picked) this.keep(message);
    return [];
  }

  /** Whether further chunks are wanted for the items in line. */
  wantsMore(inLine: number): boolean {
    const now = this.#deps.clock.now();
    const { nextAt } = this;
    const has = !this.isScanned || (nextAt !== undefined && nextAt <= now);
    return has && now >= this.#notBefore && inLine < this.#wanted(0);
  }

  /** Items to begin, so that those in line last until the next ones are read. */
  #wanted(inLine: number): number {
    const { calls, perSecond } = this.job.gate.share;
    const paced = Number.isFinite(perSecond) ? Math.ceil((perSecond * aheadMs) / 1_000) : Number.POSITIVE_INFINITY;
    return Math.max(calls > 0 ? 1 : 0, Math.min(calls, paced)) - inLine;
  }

  /** Chunks to begin; those that were picked stay in hand when S3 does not say which come next. */
  async #pickOrLeave(items: number): Promise<readonly WorkMessage[]> {
    const picked: WorkMessage[] = [];
    try {
      await this.#pick(picked, items);
      return picked;
    } catch (error) {
      for (const message of picked) this.keep(message);
      this.#scan = undefined;
      this.#notBefore = this.#deps.clock.now() + againMs;
      throw error;
    }
  }

  /** From here on the chunk is this holder's: the scan must not give it once more. */
  #take(message: WorkMessage, picked: WorkMessage[]): void {
    this.#open.set(placeName(message), message);
    picked.push(message);
  }

  /** Picks first those in hand whose time has come, then the next ones of the seat. */
  async #pick(picked: WorkMessage[], items: number): Promise<void> {
    const { clock, store } = this.#deps;
    const { pace } = this.job;
    const now = clock.now();
    const isEnough = (): boolean =>
      picked.length >= chunksAtOnce ||
      picked.reduce((sum, { only, count }) => sum + (only?.length ?? count), 0) >= items;
    for (const message of this.#hand.filter(({ notBefore = 0 }) => notBefore <= now)) {
      if (isEnough()) return;
      const isDead = (message.deaths ?? 0) >= mostDeaths;
      if (isDead) await failRest(this.#deps, message);
      this.#hand.splice(this.#hand.indexOf(message), 1);
      if (!isDead) this.#take(message, picked);
    }
    if (isEnough() || !pace.isSettled(now)) return;
    const { revision, generation, table } = pace.control;
    if (this.#scan === undefined || this.#scan.of.revision !== revision) {
      this.#done = undefined;
      await this.#adopt(table.seats);
      this.#scan = new SeatScan(store, {
        job: this.job.folder,
        seat: this.seat,
        seats: table.seats,
        revision,
        generation,
        own: (place) => this.#has(place),
      });
    }
    while (!isEnough()) {
      const next = await this.#scan.next();
      if (next === undefined) break;
      this.#take(next, picked);
    }
    const { doneTo } = this.#scan;
    if (doneTo !== undefined) this.#done = { revision, to: doneTo };
  }

  #has(place: string): boolean {
    return this.#open.has(place) || this.#hand.some((message) => placeName(message) === place);
  }

  /**
   * Takes over what seats that are no more have in hand. It stands in this seat's note before it is taken out of the other one, so that
   * at each moment everybody sees that somebody has it.
   */
  async #adopt(seats: number): Promise<void> {
    const { store, writer } = this.#deps;
    const { folder } = this.job;
    for (const { note, etag, freeInMs } of await readSeats(store, folder)) {
      const left = inheritance(note);
      const isMine = note.seat >= seats && note.seat % seats === this.seat;
      if (!isMine || freeInMs > 0 || left.length === 0) continue;
      const taken = left.filter((message) => !this.#has(placeName(message)));
      this.#hand.push(...taken);
      if (!(await this.write())) {
        this.#letGo(taken);
        throw new Error(`the note of seat ${this.seat} was not written`);
      }
      const emptied = { ...note, writer, phase: 'released' as const, open: [], hand: [], writes: note.writes + 1 };
      const condition = { ifMatch: etag };
      const won = await store.put(seatKey(folder, note.seat), seatFormat.encode(emptied), { condition });
      if (won !== undefined) continue;
      // Another was faster, unless it was this very write whose answer was lost.
      const stands = (await readSeat(store, folder, note.seat))?.note;
      if (stands?.writer !== writer || stands.writes !== emptied.writes) this.#letGo(taken);
    }
  }

  #letGo(taken: readonly WorkMessage[]): void {
    this.#hand = this.#hand.filter((message) => !taken.includes(message));
  }

  /** Looks again for chunks when all of those are begun that were given out at the last look, and more may be by now. */
  lookAgain(): void {
    if (!this.isScanned || this.#scan?.isAll === true) return;
    this.#scan = undefined;
    this.#done = undefined;
  }

  /** Looks what an earlier holder has under way; what it leaves in the end is taken over. */
  async lookAtDrain(): Promise<void> {
    if (!(await this.#drain.look())) return;
    this.#scan = undefined;
    this.#done = undefined;
  }

  /**
   * Leaves its share to the next holder while calls under it are on their way. They, and the chunks that are begun, stand from then on in the
   * note of a seat beyond those of the table, under which nothing starts; the next holder starts as many fewer as that note says.
   *
   * @returns whether the seat itself is free
   */
  async part(): Promise<boolean> {
    this.#parting = { noted: 0 };
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#part().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #part(): Promise<boolean> {
    const { job } = this;
    const beyond = this.seat + job.pace.control.table.seats;
    const claim = await SeatLease.take(this.#deps, job.folder, { seat: beyond, intervalMs: 0 });
    if (claim.kind === 'live') return false;
    const { running } = job;
    const content = this.#content();
    // In both notes for a moment, so that everybody sees at each one that somebody has it.
    if (!(await claim.lease.write({ ...content, hand: [...claim.lease.hand] }))) return false;
    const drain = { seat: beyond, running, ms: job.manifest.options.timeoutMs };
    if (!(await this.#lease.write({ ...content, open: [], drain, status: { running: 0 } }, 'released'))) {
      // The chunks are this seat's still: nobody is to take them for those of a holder that died.
      await claim.lease.write({ ...content, open: [], hand: [...claim.lease.hand] }, 'released');
      return false;
    }
    this.#lease = claim.lease;
    this.#hand = [...claim.lease.hand, ...this.#hand.filter((message) => !content.hand.includes(message))];
    this.#parting = { noted: running };
    this.#notedAt = this.#deps.clock.now();
    return true;
  }

  /** So many calls have ended since it parted that the next holder is to know. */
  get hasDrained(): boolean {
    const noted = this.#parting?.noted ?? 0;
    const step = Math.max(1, Math.floor(noted * drainStep));
    const isLooked = this.#deps.clock.now() - this.#notedAt >= limits.controlMs;
    return this.#writing === undefined && isLooked && noted - this.job.running >= step;
  }

  /** The lease is to be renewed, and nothing is being written. */
  get isDue(): boolean {
    const now = this.#deps.clock.now();
    return this.#writing === undefined && now >= this.#notBefore && this.#lease.isDue(now);
  }

  /** So many units were started since the note was written that who comes after a crash would not wait for them. */
  get owesMore(): boolean {
    const now = this.#deps.clock.now();
    const unnotedMs = this.job.gate.debt(now).unitsMs - Math.max(0, this.#owedUntil - now);
    return this.#writing === undefined && now >= this.#notBefore && unnotedMs > 1_000 * this.#deps.leaseSeconds;
  }

  /** Renews the lease, with what stands in hand. */
  async write(phase: SeatNote['phase'] = 'held'): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing;
    const { running } = this.job;
    const owedUntil = this.#deps.clock.now() + this.job.gate.debt(this.#deps.clock.now()).unitsMs;
    this.#writing = this.#lease.write(this.#content(), phase).finally(() => {
      this.#writing = undefined;
    });
    const isWritten = await this.#writing;
    if (isWritten) this.#owedUntil = owedUntil;
    if (isWritten && this.#parting !== undefined) this.#parting.noted = running;
    this.#notedAt = this.#deps.clock.now();
    if (!isWritten) this.#notBefore = this.#deps.clock.now() + againMs;
    return isWritten;
  }

  #content() {
    const { gate } = this.job;
    const now = this.#deps.clock.now();
    const brakedTo = gate.brakedTo(now);
    const drain = this.#drain.at(now);
    const { pace } = this.job;
    const { load } = pace.meter;
    const among = Math.max(1, pace.seats.size);
    return {
      open: [...this.#open.values()],
      hand: [...this.#hand],
      ...(this.#done === undefined ? {} : { done: this.#done }),
      debt: { ...gate.debt(now), at: now },
      ...(drain === undefined ? {} : { drain }),
      status: {
        running: this.job.running / among,
        ...(this.isOver ? { isOver: true } : {}),
        // A pace over what the limits allow slows nothing down.
        ...(brakedTo < gate.share.perSecond ? { brakedTo: brakedTo / among } : {}),
        ...(load === undefined ? {} : { load: partOf(load, among) }),
      },
    };
  }

  #heldOf(message: WorkMessage): HeldMessage {
    const messageId = `seat ${this.seat}: ${placeName(message)} ${message.gen}`;
    return { message, messageId, receiptHandle: undefined, receiveCount: 1, seat: this };
  }
}

/** What one of the seats that are held in one worker carries. */
const partOf = (load: SeatLoad, seats: number): SeatLoad => ({
  ...load,
  perSecond: load.perSecond / seats,
  unitsPerSecond: load.unitsPerSecond / seats,
});

/** A chunk in hand that can go on only after this time is no reason to keep the seat. */
export const worthWaitingMs = limits.keepRetryMs;
