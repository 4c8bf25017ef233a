import type { WorkMessage } from '../format/message.ts';
import type { SeatNote } from '../format/seat.ts';
import { ChunkPicker } from './chunk-picker.ts';
import type { LastWrite, WorkerDeps } from './deps.ts';
import { HeldChunks } from './held-chunks.ts';
import type { HeldMessage } from './held-message.ts';
import type { RunningJob } from './running-job.ts';
import { contentOf } from './seat-content.ts';
import { Drain } from './seat-drain.ts';
import type { SeatContent, SeatLease } from './seat-lease.ts';
import { placeName } from './seat-scan.ts';
import { SeatWriter } from './seat-writer.ts';

/** Items in line are to last for this time, so that reading the next chunk is no gap. */
const aheadMs = 5_000;

/** A seat that this invocation holds, and its way through the seat's chunks: one after another, without messages. */
export class HeldSeat {
  readonly job: RunningJob;
  readonly #deps: WorkerDeps;
  readonly #chunks: HeldChunks;
  readonly #drain: Drain;
  readonly #writer: SeatWriter;
  readonly #picker: ChunkPicker;

  constructor(deps: WorkerDeps, job: RunningJob, lease: SeatLease) {
    this.#deps = deps;
    this.job = job;
    this.#chunks = new HeldChunks(lease.hand);
    this.#drain = new Drain(deps, job.folder, lease.drain);
    this.#writer = new SeatWriter(deps, { job, lease, content: () => this.#content() });
    this.#picker = new ChunkPicker(deps, { job, chunks: this.#chunks, writer: this.#writer });
  }

  get seat(): number {
    return this.#writer.seat;
  }

  isLive(now: number): boolean {
    return this.#writer.isLive(now);
  }

  /** Chunks that are begun and not settled. */
  get isBusy(): boolean {
    return this.#chunks.isBusy;
  }

  /** Every chunk of the seat that is given out now has been begun, or is another's. */
  get isScanned(): boolean {
    return this.#picker.isScanned;
  }

  /** When the next chunk in hand may go on; undefined when none is. */
  get nextAt(): number | undefined {
    return this.#chunks.nextAt;
  }

  /** Nothing is left to start: of its last chunks some calls are under way. */
  get isOver(): boolean {
    const { ready, waiting } = this.job;
    return this.isScanned && this.nextAt === undefined && ready.length === 0 && waiting.size === 0;
  }

  /** Calls of its share that an earlier holder has under way. */
  taken(now: number): number {
    return this.#drain.at(now)?.running ?? 0;
  }

  /** An earlier holder has something under way, and may leave what is left of it. */
  awaitsRest(now: number): boolean {
    return this.#drain.at(now) !== undefined;
  }

  /** Looks what an earlier holder has under way; what it leaves in the end is taken over. */
  async lookAtDrain(): Promise<void> {
    if (await this.#drain.look()) this.#picker.lookAgain();
  }

  /** The chunk is settled: nothing of it is left to do. */
  finished(message: WorkMessage): void {
    this.#chunks.finished(message);
  }

  /** What is left of a chunk goes on later, here or with the next holder. */
  keep(message: WorkMessage): void {
    this.#chunks.keep(message);
  }

  /** Whether further chunks are wanted for the items in line. */
  wantsMore(inLine: number): boolean {
    const now = this.#deps.clock.now();
    const { nextAt } = this;
    const has = !this.isScanned || (nextAt !== undefined && nextAt <= now);
    return has && this.#writer.mayAsk(now) && this.#wanted(inLine) > 0 && !this.job.pace.isHeldBack(now);
  }

  /** Items to begin, so that those in line last until the next ones are read. */
  #wanted(inLine: number): number {
    const { calls, perSecond } = this.job.gate.share;
    const paced = Number.isFinite(perSecond) ? Math.ceil((perSecond * aheadMs) / 1_000) : Number.POSITIVE_INFINITY;
    const more = Math.max(calls > 0 ? 1 : 0, Math.min(calls, paced)) - inLine;
    return Math.min(more, this.job.pace.room(this.#deps.clock.now()));
  }

  /** Begins chunks when the items in line will not last; resolves to those that may be opened now. */
  async begin(inLine: number): Promise<readonly HeldMessage[]> {
    const { clock } = this.#deps;
    const { pace } = this.job;
    const now = clock.now();
    if (!this.#writer.mayAsk(now) || !this.isLive(now) || !pace.isFresh(now)) return [];
    const { dealtSince } = pace;
    const picked = await this.#picker.pick(this.#wanted(inLine));
    if (picked.length === 0) return [];
    // A change of the table since the choice may have given it away.
    const isStill = (): boolean =>
      this.isLive(clock.now()) && pace.isFresh(clock.now()) && pace.dealtSince === dealtSince;
    // Noted before its first call, so that whoever comes after a crash knows what ran.
    if (!isStill()) {
      this.#picker.leave(picked);
      return [];
    }
    this.#picker.begin();
    const isNoted = await this.write();
    if (isNoted && isStill()) return picked.map((message) => this.#heldOf(message));
    for (const message of picked) this.keep(message);
    return [];
  }

  #heldOf(message: WorkMessage): HeldMessage {
    const messageId = `seat ${this.seat}: ${placeName(message)} ${message.gen}`;
    return { message, messageId, receiptHandle: undefined, receiveCount: 1, seat: this };
  }

  /** The note is to be written: to renew the lease, or since whoever comes next is to know more than it says. */
  get isDue(): boolean {
    return this.#writer.isDue || this.#writer.owesMore || this.#writer.hasDrained;
  }

  /** Renews the lease, with what stands in hand. */
  write(phase: SeatNote['phase'] = 'held'): Promise<boolean> {
    return this.#writer.write(phase);
  }

  /** The note by which it is left when this process ends at once. */
  lastNote(): LastWrite {
    return this.#writer.lastNote();
  }

  /** Whether it was tried to leave its share to the next holder before its calls had ended. */
  get isParting(): boolean {
    return this.#writer.isParting;
  }

  /** Leaves its share to the next holder while calls under it are on their way; resolves to whether the seat itself is free. */
  part(): Promise<boolean> {
    const { job } = this;
    const content = (): SeatContent => this.#content();
    return this.#writer.part(async (lease) => {
      // Few invocations end so: it is loaded where one does.
      const { partSeat } = await import('./part-seat.ts');
      return partSeat(this.#deps, { job, lease, chunks: this.#chunks, content });
    });
  }

  #content(): SeatContent {
    const now = this.#deps.clock.now();
    const { done } = this.#picker;
    return contentOf(this.job, { now, chunks: this.#chunks, done, drain: this.#drain.at(now), isOver: this.isOver });
  }
}
