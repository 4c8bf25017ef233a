import { limits } from '../limits.ts';

/** How a ramp opens. */
export interface RampOptions {
  readonly now: number;
  /** Time over which it opens; 0 opens it at once. */
  readonly ms: number;
  /** Whether the rest opens faster once the first calls were answered well. @default false */
  readonly isEager?: boolean;
}

/** How often it opens further slots, and where the rest opens fast. */
const stepMs = 50;
const fastStepMs = 10;

/** The beginning of a job in a worker: what it may do opens from little to all, linearly over some time. */
export class Ramp {
  readonly #ms: number;
  readonly #isEager: boolean;
  /** How far it is, in milliseconds of its time. */
  #ranMs = 0;
  #at: number;
  #answers = 0;
  #hasFailed = false;

  constructor({ now, ms, isEager = false }: RampOptions) {
    this.#ms = ms;
    this.#isEager = isEager;
    this.#at = now;
  }

  /** The part that is open: 1 is all. */
  opened(now: number): number {
    if (this.#isOpen) return 1;
    this.#ranMs += Math.max(0, now - this.#at) * (this.#isFast ? limits.rampFastBy : 1);
    this.#at = now;
    return this.#isOpen ? 1 : this.#ranMs / this.#ms;
  }

  /** Of so many slots those that are open: some at once, or a slow call would hold up all others. */
  slots(now: number, calls: number): number {
    return Math.min(calls, Math.max(limits.rampFloor, Math.floor(calls * this.opened(now))));
  }

  /** Milliseconds until more is open; undefined where all is. */
  nextMs(now: number): number | undefined {
    if (this.opened(now) === 1) return undefined;
    return this.#isFast ? fastStepMs : stepMs;
  }

  /** A call was answered well. */
  succeeded(now: number): void {
    if (this.#isOpen || this.#isFast) return;
    this.opened(now);
    this.#answers++;
  }

  /** A call was refused for its rate, or failed by what too many at once may bring: the rest opens slowly. */
  failed(now: number): void {
    if (this.#isOpen) return;
    this.opened(now);
    this.#hasFailed = true;
  }

  get #isOpen(): boolean {
    return this.#ranMs >= this.#ms;
  }

  get #isFast(): boolean {
    return this.#isEager && !this.#hasFailed && this.#answers >= limits.rampProof;
  }
}
