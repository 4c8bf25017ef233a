import { readSeat } from '../folder/seats.ts';
import type { JobFolder } from '../format/paths.ts';
import type { SeatDrain } from '../format/seat.ts';
import type { Clock, ObjectStore } from '../ports.ts';

/** Calls of an earlier holder that are under way still: so many of a seat's share are not its holder's. */
export class Drain {
  readonly #deps: { readonly store: ObjectStore; readonly clock: Clock };
  readonly #job: JobFolder;
  readonly #since: number;
  #of: SeatDrain | undefined;

  constructor(deps: { readonly store: ObjectStore; readonly clock: Clock }, job: JobFolder, of: SeatDrain | undefined) {
    this.#deps = deps;
    this.#job = job;
    this.#since = deps.clock.now();
    this.#of = of;
  }

  /** What is left of it now, as a note says it. */
  at(now: number): SeatDrain | undefined {
    if (this.#of === undefined) return undefined;
    const ms = this.#of.ms - (now - this.#since);
    return ms <= 0 ? undefined : { ...this.#of, ms };
  }

  /** Looks how many have ended; resolves to whether that was the last look, and what the holder has left is to be taken over. */
  async look(): Promise<boolean> {
    const { store, clock } = this.#deps;
    const of = this.#of;
    if (of === undefined) return false;
    const stored = await readSeat(store, this.#job, of.seat);
    const isOver = stored === undefined || stored.note.phase === 'released' || this.at(clock.now()) === undefined;
    const running = Math.min(of.running, Math.ceil(stored?.note.status.running ?? 0));
    this.#of = isOver ? undefined : { ...of, running };
    return isOver;
  }
}
