import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import type { Course, Duties, Duty } from './duties.ts';
import type { HeldSeat } from './held-seat.ts';
import type { WorkerState } from './worker-state.ts';

/** A chunk in hand that can go on only after this time is no reason to keep the seat. */
const worthWaitingMs = limits.keepRetryMs;
/** Calls that end within this time are waited for: to leave the seat to the next holder before they have ended takes five writes. */
const partAfterMs = 2_000;

/** Decides which seats this worker goes on with. */
export class SeatRules {
  readonly #deps: Pick<WorkerDeps, 'clock' | 'deadline' | 'leaving'>;
  readonly #state: WorkerState;
  readonly #duties: Duties;

  constructor(deps: Pick<WorkerDeps, 'clock' | 'deadline' | 'leaving'>, state: WorkerState, duties: Duties) {
    this.#deps = deps;
    this.#state = state;
    this.#duties = duties;
  }

  /** What becomes of the seat now: one that leaves may serve again, one that parks goes. */
  courseOf({ seat, course }: Duty): Course {
    const since = course.kind === 'serves' ? this.#deps.clock.now() : course.since;
    if (course.kind === 'parks' || this.#mayPark(seat)) return { kind: 'parks', since };
    return this.mustLeave(seat) ? { kind: 'leaves', since } : { kind: 'serves' };
  }

  /** Whether nothing of the job may go on under this seat here. */
  mustLeave(seat: HeldSeat): boolean {
    const { clock, deadline, leaving } = this.#deps;
    const { job } = seat;
    return job.cancelled.aborted || this.isOver(seat) || leaving?.aborted === true || !job.fits(clock.now(), deadline);
  }

  /** Whether the control says, as far as it was seen here, that nobody runs the job under this seat. */
  isOver({ job: { pace }, seat }: HeldSeat): boolean {
    return pace.isPaused || !pace.needsSeats || seat >= pace.control.table.seats;
  }

  /** Whether it leaves for its invocation's end alone, and its calls can end without it. */
  mayPart({ seat, course }: Duty): boolean {
    const { job } = seat;
    const now = this.#deps.clock.now();
    if (course.kind === 'serves' || now - course.since < partAfterMs) return false;
    const isAlone = this.#duties.seatsOf(job).every((one) => one === seat);
    const runsApart = this.#state.jobsOf(job).some((one) => one !== job && one.running > 0);
    const goesOn = !job.cancelled.aborted && !job.pace.isPaused && seat.seat < job.pace.control.table.seats;
    if (seat.isParting || !isAlone || runsApart || !goesOn || !job.pace.needsSeats || job.running === 0) return false;
    // What calls have used beyond their estimate is charged to the next holder when they have ended.
    if (job.pace.limits.units !== undefined) return false;
    return this.#deps.leaving?.aborted !== true && !job.fits(now, this.#deps.deadline);
  }

  /** Whether the seat can be given back: it must be, or nothing is to be done soon; and its calls have ended. */
  mayLeave(seat: HeldSeat): boolean {
    const now = this.#deps.clock.now();
    // The seats that are held here share their calls: none is given back while another can use them.
    const isUseless = this.#duties.seatsOf(seat.job).every((one) => this.#isUseless(one, now));
    if (!isUseless && !this.mustLeave(seat)) return false;
    const running = this.#state.jobsOf(seat.job).reduce((sum, job) => sum + job.running, 0);
    return running === 0 || running <= seat.job.pace.callsWithout(seat, now);
  }

  /** Whether nothing runs here, and what comes next starts only after a time for which no worker needs to wait. */
  #mayPark({ job, isScanned, nextAt }: HeldSeat): boolean {
    if (this.#state.running > 0 || job.gate.restMs(this.#deps.clock.now()) <= limits.parkGapMs) return false;
    return nextAt !== undefined || !isScanned || this.#state.jobsOf(job).some(({ ready }) => ready.length > 0);
  }

  #isUseless(seat: HeldSeat, now: number): boolean {
    const { isScanned, isBusy, nextAt } = seat;
    // What an earlier holder leaves in the end is for this one.
    return isScanned && !isBusy && !seat.awaitsRest(now) && (nextAt === undefined || nextAt > now + worthWaitingMs);
  }
}
