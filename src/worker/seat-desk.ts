import type { Closer } from './closer.ts';
import type { LastWrite, WorkerDeps } from './deps.ts';
import { Duties, type Duty } from './duties.ts';
import type { HeldBell } from './held-message.ts';
import type { HeldSeat } from './held-seat.ts';
import type { Holds } from './holds.ts';
import type { JobFinder } from './job-finder.ts';
import type { Opener } from './opener.ts';
import { ringNext, ringSeat } from './ring-seat.ts';
import type { Runner } from './runner.ts';
import type { RunningJob } from './running-job.ts';
import { SeatRules } from './seat-rules.ts';
import { SeatWatch } from './seat-watch.ts';
import { takeSeat } from './take-seat.ts';
import { tellHold } from './tell-hold.ts';
import type { WorkerState } from './worker-state.ts';

/** Hears the bells of limited jobs, and does what belongs to the seats that are held here. */
export class SeatDesk {
  readonly #deps: WorkerDeps;
  readonly #state: WorkerState;
  readonly #parts: SeatDeskParts;
  readonly #duties = new Duties();
  readonly #rules: SeatRules;
  readonly #watch: SeatWatch;
  #hearing = 0;
  /** Until when SQS is asked again. */
  readonly #until = (): number => this.#state.endAt;

  constructor(deps: WorkerDeps, state: WorkerState, parts: SeatDeskParts) {
    this.#deps = deps;
    this.#state = state;
    this.#parts = parts;
    this.#rules = new SeatRules(deps, state, this.#duties);
    this.#watch = new SeatWatch(deps, state);
  }

  /** No seat is held here. */
  get isIdle(): boolean {
    return this.#duties.isEmpty;
  }

  /** Whether a seat of the job is held here. */
  serves(job: RunningJob): boolean {
    return this.#duties.seatsOf(job).length > 0;
  }

  /** Looks what earlier holders of the job's seats here have under way. */
  async lookAtDrains(job: RunningJob): Promise<void> {
    await Promise.all(this.#duties.seatsOf(job).map((seat) => seat.lookAtDrain()));
  }

  /** Bells are being heard: the next one is for another worker. */
  get isHearing(): boolean {
    return this.#hearing > 0;
  }

  /** Takes the seat that a bell rings for, or lets the bell go; resolves to the time after which there may be one more for this worker. */
  async hear(bell: HeldBell): Promise<number | undefined> {
    this.#hearing++;
    try {
      return await takeSeat(this.#deps, bell, { ...this.#parts, state: this.#state, duties: this.#duties });
    } finally {
      this.#hearing--;
    }
  }

  /** Does what is due: renews leases, begins chunks, and gives back what cannot be used any more. */
  act(): void {
    for (const duty of this.#duties.all) this.#actOn(duty);
  }

  #actOn(duty: Duty): void {
    const { seat } = duty;
    const { job } = seat;
    if (!seat.isLive(this.#deps.clock.now())) {
      this.#lose(duty);
      return;
    }
    if (seat.isDue)
      this.#state.track(
        seat.write().then(() => undefined),
        job.manifest.jobId,
      );
    if (duty.isActing) return;
    duty.course = this.#rules.courseOf(duty);
    const { kind } = duty.course;
    if (kind !== 'serves') for (const one of this.#state.jobsOf(job)) this.#parts.runner.giveBack(one);
    if (this.#rules.mayPart(duty)) this.#do(duty, () => this.#part(seat));
    else if (kind === 'serves' && this.#wantsMore(seat)) this.#do(duty, () => this.#begin(seat));
    else if (!seat.isBusy && (kind === 'parks' || this.#rules.mayLeave(seat)))
      this.#do(duty, () => this.#giveBack(duty));
  }

  /** Notes that leave the seats which are held here, for whoever writes them in this process's place. */
  lastNotes(): readonly LastWrite[] {
    return this.#duties.all.map(({ seat }) => seat.lastNote());
  }

  /** Measures what limited jobs do here; once a second. */
  look(): void {
    this.#watch.look(this.#duties.all.map(({ seat }) => seat));
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
    return this.#state.jobsOf(job).reduce((sum, { ready }) => sum + ready.length, 0);
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

  async #part(seat: HeldSeat): Promise<void> {
    const { seat: number, job } = seat;
    if (await seat.part()) await ringSeat(this.#deps, { job, seat: number }, { delaySeconds: 0, until: this.#until });
  }

  /** Gives the seat back with what it has in hand, and rings for the next holder. */
  async #giveBack(duty: Duty): Promise<void> {
    const { seat, bell, course } = duty;
    const parks = course.kind === 'parks';
    // Whoever goes for the time of a hold does not look at the control again.
    if (parks) await tellHold(this.#deps, seat.job);
    seat.job.pace.leaves(seat, this.#deps.clock.now());
    if (!(await seat.write('released'))) {
      // Nothing starts under it meanwhile; it is tried again, and in the end the lease is over.
      if (seat.isLive(this.#deps.clock.now())) return;
    }
    this.#duties.delete(duty);
    // Nothing of others is at hand, and what is in the queue has another spark: the invocation ends now.
    if (parks && this.isIdle && this.#state.chunks.length === 0) this.#state.mayPull = false;
    // Whoever was called meanwhile has found the seat held: it is called again, if the job goes on by now.
    if (this.#rules.isOver(seat)) await this.#parts.jobs.lookAgain(bell, seat.job);
    await ringNext(this.#deps, seat, this.#until);
    // What it was to do is done: the job may be, or others may have its share.
    const isDone = seat.isScanned && seat.nextAt === undefined && !this.#rules.mustLeave(seat);
    if (isDone) await this.#watch.knock(seat.job);
    await this.#parts.closer.acknowledge(bell);
  }

  /** The lease is over, or another has the seat: nothing of its chunks counts here any more. */
  #lose(duty: Duty): void {
    const { seat, bell } = duty;
    const { closer, holds } = this.#parts;
    this.#duties.delete(duty);
    seat.job.pace.leaves(seat, this.#deps.clock.now());
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
      this.#duties.all.map((duty) =>
        this.#giveBack(duty).catch((error: unknown) =>
          this.#deps.log('warn', 'a seat was not given back', { seat: duty.seat.seat, error: String(error) }),
        ),
      ),
    );
  }
}

interface SeatDeskParts {
  readonly closer: Closer;
  readonly runner: Runner;
  readonly holds: Holds;
  readonly jobs: JobFinder;
  readonly opener: Opener;
}
