import type { SeatNote } from '../format/seat.ts';
import { limits } from '../limits.ts';
import type { LastWrite, WorkerDeps } from './deps.ts';
import type { Parted } from './part-seat.ts';
import type { RunningJob } from './running-job.ts';
import type { SeatContent, SeatLease } from './seat-lease.ts';

/** A note that S3 did not take is written again after this time. */
const againMs = 1_000;
/** A note says anew how many calls are under way when this part of them has ended. */
const drainStep = 0.2;

/** Writes the note of a seat that is held, one write at a time, and knows when it is due again. */
export class SeatWriter {
  readonly #deps: Pick<WorkerDeps, 'clock' | 'leaseSeconds'>;
  readonly #job: RunningJob;
  readonly #content: () => SeatContent;
  #lease: SeatLease;
  #writing: Promise<boolean> | undefined;
  #notBefore = 0;
  #notedAt = 0;
  /** How many calls are under way, as the note says; undefined until it is tried to part from the seat. */
  #noted: number | undefined;
  /** Until when units keep the next start waiting, as the note says; milliseconds since the epoch. */
  #owedUntil = 0;

  constructor(
    deps: Pick<WorkerDeps, 'clock' | 'leaseSeconds'>,
    of: { readonly job: RunningJob; readonly lease: SeatLease; readonly content: () => SeatContent },
  ) {
    this.#deps = deps;
    this.#job = of.job;
    this.#lease = of.lease;
    this.#content = of.content;
  }

  /** The seat whose note it is: after a parting one beyond the table. */
  get seat(): number {
    return this.#lease.seat;
  }

  isLive(now: number): boolean {
    return this.#lease.isLive(now);
  }

  /** Whether S3 is asked again at this moment, after a failure. */
  mayAsk(now: number): boolean {
    return now >= this.#notBefore;
  }

  /** S3 failed: it is asked again after a while. */
  putOff(): void {
    this.#notBefore = this.#deps.clock.now() + againMs;
  }

  /** Whether it was tried to leave its share to the next holder before its calls had ended. */
  get isParting(): boolean {
    return this.#noted !== undefined;
  }

  /** The lease is to be renewed, and nothing is being written. */
  get isDue(): boolean {
    const now = this.#deps.clock.now();
    return this.#writing === undefined && this.mayAsk(now) && this.#lease.isDue(now);
  }

  /** So many units were started since the note was written that who comes after a crash would not wait for them. */
  get owesMore(): boolean {
    const now = this.#deps.clock.now();
    const unnotedMs = this.#job.gate.debt(now).unitsMs - Math.max(0, this.#owedUntil - now);
    return this.#writing === undefined && this.mayAsk(now) && unnotedMs > 1_000 * this.#deps.leaseSeconds;
  }

  /** So many calls have ended since it parted that the next holder is to know. */
  get hasDrained(): boolean {
    const noted = this.#noted ?? 0;
    const step = Math.max(1, Math.floor(noted * drainStep));
    const isLooked = this.#deps.clock.now() - this.#notedAt >= limits.controlMs;
    return this.#writing === undefined && isLooked && noted - this.#job.running >= step;
  }

  /** Renews the lease, with what stands in hand. */
  write(phase: SeatNote['phase']): Promise<boolean> {
    return this.#alone(async () => {
      const { clock } = this.#deps;
      const { running, gate } = this.#job;
      const owedUntil = clock.now() + gate.debt(clock.now()).unitsMs;
      const isWritten = await this.#lease.write(this.#content(), phase);
      if (isWritten) this.#owedUntil = owedUntil;
      if (isWritten && this.#noted !== undefined) this.#noted = running;
      this.#notedAt = clock.now();
      if (!isWritten) this.putOff();
      return isWritten;
    });
  }

  /** The note by which the seat is left when this process ends at once. */
  lastNote(): LastWrite {
    const { running, pace } = this.#job;
    return this.#lease.lastNote(this.#content(), { seat: this.seat + pace.control.table.seats, running });
  }

  /** Goes on with the note of a seat beyond the table, once `part` has left this one; resolves to whether it has. */
  part(part: (lease: SeatLease) => Promise<Parted | undefined>): Promise<boolean> {
    this.#noted = 0;
    return this.#alone(async () => {
      const parted = await part(this.#lease);
      if (parted === undefined) return false;
      this.#lease = parted.lease;
      this.#noted = parted.running;
      this.#notedAt = this.#deps.clock.now();
      return true;
    });
  }

  async #alone(act: () => Promise<boolean>): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = act().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }
}
