import type { HeldBell } from './held-message.ts';
import type { HeldSeat } from './held-seat.ts';
import type { RunningJob } from './running-job.ts';

/** What becomes of a seat that is held here. */
export type Course =
  | { readonly kind: 'serves' }
  /** Nothing may go on under it here, for now. */
  | { readonly kind: 'leaves'; readonly since: number }
  /** Its next start is far away: it is given back until then, whatever comes. */
  | { readonly kind: 'parks'; readonly since: number };

/** A seat that is held here, and the bell that called for it. */
export interface Duty {
  readonly seat: HeldSeat;
  readonly bell: HeldBell;
  course: Course;
  /** Chunks are being begun, or the seat is being left or given back. */
  isActing: boolean;
}

/** The seats that are held here, and those that are being taken. */
export class Duties {
  readonly #all = new Set<Duty>();
  /** Names of seats that are being taken: two claims of one worker would each take the note of the other one for its own. */
  readonly claiming = new Set<string>();

  get all(): readonly Duty[] {
    return [...this.#all];
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(duty: Duty): void {
    this.#all.add(duty);
  }

  delete(duty: Duty): void {
    this.#all.delete(duty);
  }

  /** The seats of one job: they share its pace, so any call may start under each of them. */
  seatsOf({ pace }: RunningJob): readonly HeldSeat[] {
    return [...this.#all].map(({ seat }) => seat).filter(({ job }) => job.pace === pace);
  }
}
