import type { WorkerDeps } from './deps.ts';
import type { HeldSeat } from './held-seat.ts';
import type { Pace } from './pace.ts';
import type { RunningJob } from './running-job.ts';
import type { WorkerState } from './worker-state.ts';

/** The number of seats changes no more often. */
const askEveryMs = 12_000;

/** Measures what limited jobs do in this worker, and asks for a turn where it cannot do what it may. */
export class SeatWatch {
  readonly #deps: Pick<WorkerDeps, 'clock' | 'cpuMs' | 'log' | 'knock'>;
  readonly #state: WorkerState;
  /** When a turn was last asked for that may give a job more seats. */
  readonly #askedAt = new WeakMap<Pace, number>();
  /** The revision of the control under which it was told that a seat has nothing left to start. */
  readonly #toldAt = new WeakMap<HeldSeat, number>();

  constructor(deps: Pick<WorkerDeps, 'clock' | 'cpuMs' | 'log' | 'knock'>, state: WorkerState) {
    this.#deps = deps;
    this.#state = state;
  }

  /** Looks once a second at the seats that are held here. */
  look(held: readonly HeldSeat[]): void {
    const { clock, cpuMs = () => 0 } = this.#deps;
    const now = clock.now();
    const measured = { running: this.#state.running, cpuMs: cpuMs() };
    for (const seat of held) this.#tellIfOver(seat, held);
    for (const pace of new Set(held.map(({ job }) => job.pace))) {
      pace.meter.look(now, measured);
      if (!pace.meter.isSaturated || now - (this.#askedAt.get(pace) ?? Number.NEGATIVE_INFINITY) < askEveryMs) continue;
      const seats = held.filter(({ job }) => job.pace === pace && job.manifest.workers > pace.control.table.seats);
      const [first] = seats;
      if (first === undefined) continue;
      this.#askedAt.set(pace, now);
      this.#state.track(this.#ask(first.job, seats), first.job.manifest.jobId);
    }
  }

  /** Others may have its share, while its last calls are under way. */
  #tellIfOver(seat: HeldSeat, held: readonly HeldSeat[]): void {
    const { revision, table } = seat.job.pace.control;
    const hasOthers = table.seats - (table.idle?.length ?? 0) > 1;
    // The seats that are held in one worker share their calls.
    const isOver = held.every(({ job, isOver: over }) => job.pace !== seat.job.pace || over);
    if (!hasOthers || !isOver || this.#toldAt.get(seat) === revision) return;
    this.#toldAt.set(seat, revision);
    this.#state.track(this.#ask(seat.job, [seat]), seat.job.manifest.jobId);
  }

  /** Makes the job's next turn due: it has something to decide. */
  async knock({ folder, manifest: { jobId } }: RunningJob): Promise<void> {
    const { knock, log } = this.#deps;
    await knock?.(folder).catch((error: unknown) =>
      log('warn', 'a turn was not asked for; it comes when it would', { jobId, error: String(error) }),
    );
  }

  async #ask(job: RunningJob, seats: readonly HeldSeat[]): Promise<void> {
    await Promise.all(seats.map((seat) => seat.write()));
    await this.knock(job);
  }
}
