import type { SeatLoad } from '../format/seat.ts';
import { limits } from '../limits.ts';

/** Looks that are judged together, one a second. */
const judgedLooks = 5;
/** In so many of them a start has waited for the worker: then it is no passing thing. */
const heldUpLooks = 4;

interface Look {
  readonly ms: number;
  readonly starts: number;
  readonly units: number;
  readonly slots: number;
  readonly loopMs: number;
  readonly isHeldUp: boolean;
}

/** How much of a limited job one worker carries, and whether its starts wait for the worker and not for their share. */
export class Meter {
  #at: number | undefined;
  #cpuMs = 0;
  #starts = 0;
  #units = 0;
  #isHeldUp = false;
  #looks: Look[] = [];

  /** A call was started that is thought to take so many units. */
  started(units: number): void {
    this.#starts++;
    this.#units += units;
  }

  /** The share allows a start for which this worker has no slot or no room. */
  heldUp(): void {
    this.#isHeldUp = true;
  }

  /** Looks at what has happened since the last look. */
  look(now: number, at: { readonly running: number; readonly cpuMs: number }): void {
    const ms = now - (this.#at ?? now);
    if (ms > 0) {
      const slots = Math.min(1, at.running / limits.maxConcurrency);
      const loopMs = Math.max(0, at.cpuMs - this.#cpuMs);
      this.#looks.push({ ms, starts: this.#starts, units: this.#units, slots, loopMs, isHeldUp: this.#isHeldUp });
      if (this.#looks.length > judgedLooks) this.#looks.shift();
    }
    this.#at = now;
    this.#cpuMs = at.cpuMs;
    this.#starts = 0;
    this.#units = 0;
    this.#isHeldUp = false;
  }

  /** What all seats that are held here carry together; undefined before there is something to judge. */
  get load(): SeatLoad | undefined {
    if (this.#looks.length < judgedLooks) return undefined;
    const sum = (of: (look: Look) => number): number => this.#looks.reduce((total, look) => total + of(look), 0);
    const seconds = sum(({ ms }) => ms) / 1_000;
    return {
      perSecond: sum(({ starts }) => starts) / seconds,
      unitsPerSecond: sum(({ units }) => units) / seconds,
      slots: sum(({ slots }) => slots) / judgedLooks,
      loop: Math.min(1, sum(({ loopMs }) => loopMs) / 1_000 / seconds),
      heldUp: this.#looks.filter(({ isHeldUp }) => isHeldUp).length >= heldUpLooks,
    };
  }

  /** Whether this worker cannot do what it may. */
  get isSaturated(): boolean {
    const { load } = this;
    return load !== undefined && (load.heldUp || load.loop >= limits.busyLoop);
  }
}
