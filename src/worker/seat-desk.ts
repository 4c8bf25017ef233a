import { readSummary } from '../folder/read.ts';
import { bellFor, encodeMessage, folderOf } from '../format/message.ts';
import { folderName } from '../format/paths.ts';
import { shareIn } from '../format/share.ts';
import { limits } from '../limits.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldBell } from './held-message.ts';
import { HeldSeat, worthWaitingMs } from './held-seat.ts';
import type { Holds } from './holds.ts';
import type { JobFinder } from './job-finder.ts';
import type { Opener } from './opener.ts';
import { persist } from './persist.ts';
import type { Runner } from './runner.ts';
import type { RunningJob } from './running-job.ts';
import { SeatLease } from './seat-lease.ts';
import { SeatWatch } from './seat-watch.ts';
import { tellHold } from './tell-hold.ts';
import type { WorkerState } from './worker-state.ts';

/** A bell that found its seat held this often was a further one of a seat whose holder lives. */
const uselessBell = 3;
/** A second seat of a job is for another worker first. */
const othersFirstSeconds = 3;
/** Calls that end within this time are waited for: to leave the seat to the next holder before they have ended takes five writes. */
const partAfterMs = 2_000;

interface Duty {
  readonly seat: HeldSeat;
  readonly bell: HeldBell;
  /** Chunks are being begun, or the seat is being given back. */
  isActing: boolean;
  /** Its next start is far away: it is being given back until then. */
  isParking: boolean;
  /** Since when nothing may go on under it here. */
  leavesSince: number | undefined;
}

/** Hears the bells of limited jobs, and does what belongs to the seats that are held here. */
export class SeatDesk {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #parts: SeatDeskParts;
  readonly #duties = new Set<Duty>();
  /** Seats that are being taken. */
  readonly #claiming = new Set<string>();
  readonly #watch: SeatWatch;

  constructor(deps: WorkerDeps, state: WorkerState, parts: SeatDeskParts) {
    this.#deps = deps;
    this.#state = state;
    this.#parts = parts;
    this.#watch = new SeatWatch(deps, state);
  }

  /** No seat is held here. */
  get isIdle(): boolean {
    return this.#duties.size === 0;
  }

  /** Whether a seat of the job is held here. */
  serves(job: RunningJob): boolean {
    return [...this.#duties].some(({ seat }) => seat.job.pace === job.pace);
  }

  /** Looks what earlier holders of the job's seats here have under way. */
  async lookAtDrains(job: RunningJob): Promise<void> {
    const seats = [...this.#duties].map(({ seat }) => seat).filter((seat) => seat.job.pace === job.pace);
    await Promise.all(seats.map((seat) => seat.lookAtDrain()));
  }

  /** Takes the seat that a bell rings for, or lets the bell go. */
  async hear(bell: HeldBell): Promise<void> {
    const { closer, jobs } = this.#parts;
    const folder = folderOf(bell.message);
    const job = await jobs.ofBell(bell);
    const isNeedless =
      job === undefined ||
      job.cancelled.aborted ||
      job.pace.isPaused ||
      !job.pace.needsSeats ||
      bell.message.seat >= job.pace.control.table.seats ||
      this.#holds(job, bell.message.seat) ||
      (await readSummary(this.#deps.store, folder)) !== undefined;
    if (isNeedless) return closer.acknowledge(bell);
    if (!job.fits(this.#deps.clock.now(), this.#deps.deadline) || this.#deps.leaving?.aborted === true)
      return this.#putBack(bell);
    // A worker that cannot carry what it has leaves the next seat to the others for longer.
    const forOthers = job.pace.meter.isSaturated ? 2 : 1;
    if (this.serves(job) && bell.receiveCount <= forOthers) return this.#hide(bell, othersFirstSeconds);
    const { seat: number } = bell.message;
    // Two claims of one worker would each take the note of the other one for its own.
    const name = `${folderName(folder)} ${number}`;
    if (this.#claiming.has(name)) return closer.acknowledge(bell);
    this.#claiming.add(name);
    const { perSecond } = shareIn(job.pace.control.table, number);
    const wanted = { seat: number, intervalMs: perSecond > 0 ? 1_000 / perSecond : 0 };
    const claim = await SeatLease.take(this.#deps, folder, wanted).finally(() => this.#claiming.delete(name));
    if (claim.kind === 'live') {
      // It may be the bell of the holder itself, which has died: then the seat is free when it comes again.
      // A bell that was hidden for others has not tried yet.
      if (bell.receiveCount >= uselessBell + forOthers - 1) return closer.acknowledge(bell);
      return this.#hide(bell, Math.max(1, Math.ceil(claim.freeInMs / 1_000)));
    }
    const { jobId } = job.manifest;
    this.#deps.log('info', 'a seat was taken', { jobId, seat: number });
    const seat = new HeldSeat(this.#deps, job, claim.lease);
    job.gate.owe(this.#deps.clock.now(), claim.debt);
    job.pace.seats.add(seat);
    job.pace.update(this.#deps.clock.now());
    job.draining = false;
    this.#duties.add({ seat, bell, isActing: false, isParking: false, leavesSince: undefined });
  }

  /** Does what is due: renews leases, begins chunks, and gives back what cannot be used any more. */
  act(): void {
    for (const duty of this.#duties) this.#actOn(duty);
  }

  #actOn(duty: Duty): void {
    const { seat } = duty;
    const { job } = seat;
    const now = this.#deps.clock.now();
    if (!seat.isLive(now)) {
      this.#lose(duty);
      return;
    }
    if (seat.isDue)
      this.#state.track(
        seat.write().then(() => undefined),
        job.manifest.jobId,
      );
    if (duty.isActing) return;
    duty.isParking ||= this.#mayPark(seat);
    const leaves = duty.isParking || this.#mustLeave(seat);
    if (leaves) for (const one of this.#jobsOf(job)) this.#parts.runner.giveBack(one);
    duty.leavesSince = leaves ? (duty.leavesSince ?? now) : undefined;
    if (this.#mayPart(duty)) this.#do(duty, () => this.#part(seat));
    else if (!leaves && this.#wantsMore(seat)) this.#do(duty, () => this.#begin(seat));
    else if (!seat.isBusy && (duty.isParking || this.#mayLeave(seat))) this.#do(duty, () => this.#giveBack(duty));
  }

  /** Measures what limited jobs do here; once a second. */
  look(): void {
    this.#watch.look([...this.#duties].map(({ seat }) => seat));
  }

  #do(duty: Duty, act: () => Promise<void>): void {
    duty.isActing = true;
    this.#state.track(
      act().finally(() => {
        duty.isActing = false;
      }),
      duty.seat.job.manifest.jobId,
    );
  }

  #wantsMore(seat: HeldSeat): boolean {
    const wants = seat.wantsMore(this.#inLine(seat));
    if (wants && this.#state.roomBytes <= 0) seat.job.pace.meter.heldUp();
    return wants && this.#state.roomBytes > 0;
  }

  /** Items of the seat's job that could start now. */
  #inLine({ job }: HeldSeat): number {
    return this.#jobsOf(job).reduce((sum, { ready }) => sum + ready.length, 0);
  }

  async #begin(seat: HeldSeat): Promise<void> {
    const { opener } = this.#parts;
    const begun = await seat.begin(this.#inLine(seat));
    await Promise.all(
      begun.map((held) =>
        opener.open(held).catch((error: unknown) => {
          // Whoever has the seat next tries again.
          seat.keep(held.message);
          throw error;
        }),
      ),
    );
  }

  /** Whether nothing of the job may go on under this seat here. */
  #mustLeave({ job, seat }: HeldSeat): boolean {
    const { clock, deadline, leaving } = this.#deps;
    const { pace } = job;
    return (
      job.cancelled.aborted ||
      pace.isPaused ||
      !pace.needsSeats ||
      seat >= pace.control.table.seats ||
      leaving?.aborted === true ||
      !job.fits(clock.now(), deadline)
    );
  }

  /** Whether it leaves for its invocation's end alone, and its calls can end without it. */
  #mayPart({ seat, leavesSince }: Duty): boolean {
    const { job } = seat;
    const now = this.#deps.clock.now();
    if (leavesSince === undefined || now - leavesSince < partAfterMs) return false;
    const isAlone = [...this.#duties].every((duty) => duty.seat === seat || duty.seat.job.pace !== job.pace);
    const runsApart = this.#jobsOf(job).some((one) => one !== job && one.running > 0);
    const goesOn = !job.cancelled.aborted && !job.pace.isPaused && seat.seat < job.pace.control.table.seats;
    if (seat.isParting || !isAlone || runsApart || !goesOn || !job.pace.needsSeats || job.running === 0) return false;
    // What calls have used beyond their estimate is charged to the next holder when they have ended.
    if (job.pace.limits.units !== undefined) return false;
    return this.#deps.leaving?.aborted !== true && !job.fits(now, this.#deps.deadline);
  }

  async #part(seat: HeldSeat): Promise<void> {
    const { seat: number, job } = seat;
    if (await seat.part()) await this.#ring(job, number, 0);
  }

  /** Whether nothing runs here, and what comes next starts only after a time for which no worker needs to wait. */
  #mayPark({ job, isScanned, nextAt }: HeldSeat): boolean {
    if (this.#state.running > 0 || job.gate.restMs(this.#deps.clock.now()) <= limits.parkGapMs) return false;
    return nextAt !== undefined || !isScanned || this.#jobsOf(job).some(({ ready }) => ready.length > 0);
  }

  /** Whether the seat can be given back: it must be, or nothing is to be done soon; and its calls have ended. */
  #mayLeave(seat: HeldSeat): boolean {
    const now = this.#deps.clock.now();
    // The seats that are held here share their calls: none is given back while another can use them.
    const together = [...this.#duties].filter((duty) => duty.seat.job.pace === seat.job.pace);
    const isUseless = together.every((duty) => this.#isUseless(duty.seat, now));
    if (!isUseless && !this.#mustLeave(seat)) return false;
    const running = this.#jobsOf(seat.job).reduce((sum, job) => sum + job.running, 0);
    return running === 0 || running <= seat.job.pace.callsWithout(seat, now);
  }

  #isUseless(seat: HeldSeat, now: number): boolean {
    const { isScanned, isBusy, nextAt } = seat;
    // What an earlier holder leaves in the end is for this one.
    return isScanned && !isBusy && !seat.awaitsRest(now) && (nextAt === undefined || nextAt > now + worthWaitingMs);
  }

  /** Gives the seat back with what it has in hand, and rings for the next holder. */
  async #giveBack(duty: Duty): Promise<void> {
    const { seat, bell } = duty;
    // Whoever goes for the time of a hold does not look at the control again.
    if (duty.isParking) await tellHold(this.#deps, seat.job);
    seat.job.pace.seats.delete(seat);
    if (!(await seat.write('released'))) {
      // Nothing starts under it meanwhile; it is tried again, and in the end the lease is over.
      if (seat.isLive(this.#deps.clock.now())) return;
    }
    this.#duties.delete(duty);
    // Nothing of others is at hand, and what is in the queue has another spark: the invocation ends now.
    if (duty.isParking && this.isIdle && this.#state.chunks.length === 0) this.#state.mayPull = false;
    await this.#ringNext(seat);
    // What it was to do is done: the job may be, or others may have its share.
    if (seat.isScanned && seat.nextAt === undefined && !this.#mustLeave(seat)) await this.#watch.knock(seat.job);
    await this.#parts.closer.acknowledge(bell);
  }

  async #ringNext(seat: HeldSeat): Promise<void> {
    const { pace, cancelled, gate } = seat.job;
    const { nextAt } = seat;
    const isOver = cancelled.aborted || pace.isPaused || !pace.needsSeats;
    // The next holder is there, and looks what is left in the end.
    const hasNext = seat.isParting && seat.seat >= pace.control.table.seats;
    if (isOver || hasNext || (seat.isScanned && nextAt === undefined)) return;
    const now = this.#deps.clock.now();
    const waitMs = seat.isScanned && nextAt !== undefined ? Math.max(0, nextAt - now) : 0;
    const restMs = Math.max(0, gate.restMs(now) - limits.parkLeadMs);
    const delaySeconds = Math.min(
      limits.maxDelaySeconds,
      Math.max(Math.ceil(waitMs / 1_000), restMs > limits.parkGapMs / 2 ? Math.floor(restMs / 1_000) : 0),
    );
    // What a seat that is no more has in hand goes on under another one.
    await this.#ring(seat.job, seat.seat % pace.control.table.seats, delaySeconds);
  }

  #ring({ folder }: RunningJob, seat: number, delaySeconds: number): Promise<void> {
    return persist(this.#deps, {
      what: 'nobody was called to a seat',
      fields: { jobId: folder.id, seat },
      act: () => this.#deps.queue.send([encodeMessage(bellFor(folder, seat))], { group: folder.id, delaySeconds }),
      until: () => this.#state.endAt,
    });
  }

  /** The lease is over, or another has the seat: nothing of its chunks counts here any more. */
  #lose(duty: Duty): void {
    const { seat, bell } = duty;
    const { closer, holds } = this.#parts;
    this.#duties.delete(duty);
    seat.job.pace.seats.delete(seat);
    const { jobId } = seat.job.manifest;
    this.#deps.log('warn', 'a seat is held no more', { jobId, seat: seat.seat });
    for (const chunk of this.#state.chunks)
      if (chunk.held.seat === seat) this.#state.track(closer.drop(chunk, { isSettled: false }), jobId);
    // Its bell comes back, and somebody takes the seat.
    this.#state.track(holds.release(bell), jobId);
  }

  /** Gives back what is still held when the invocation ends. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#duties].map((duty) =>
        this.#giveBack(duty).catch((error: unknown) =>
          this.#deps.log('warn', 'a seat was not given back', { seat: duty.seat.seat, error: String(error) }),
        ),
      ),
    );
  }

  #holds(job: RunningJob, seat: number): boolean {
    return [...this.#duties].some((duty) => duty.seat.job.pace === job.pace && duty.seat.seat === seat);
  }

  /** The job's items here, and those of it that run apart. */
  #jobsOf({ folder }: RunningJob): readonly RunningJob[] {
    const name = folderName(folder);
    return [...this.#state.jobs.values()].filter((job) => folderName(job.folder) === name);
  }

  async #putBack(bell: HeldBell): Promise<void> {
    this.#state.mayPull = false;
    await this.#deps.queue.send([encodeMessage(bell.message)], { group: bell.message.job });
    await this.#parts.closer.acknowledge(bell);
  }

  async #hide(bell: HeldBell, seconds: number): Promise<void> {
    await this.#parts.holds.release(bell);
    if (bell.receiptHandle !== undefined) await this.#deps.queue.changeVisibility(bell.receiptHandle, seconds);
  }
}

interface SeatDeskParts {
  readonly closer: Closer;
  readonly runner: Runner;
  readonly holds: Holds;
  readonly jobs: JobFinder;
  readonly opener: Opener;
}
