import type { Clock } from '../ports.ts';

/** Calls `ring` once at the nearest of the times that it was set to. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings in `waitMs`, unless it rings sooner anyway. */
  set(waitMs: number): void {
    const at = this.#clock.now() + waitMs;
    if (this.#at !== undefined && this.#at <= at) return;
    this.cancel();
    this.#at = at;
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#at = undefined;
      this.#ring();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#at = undefined;
  }
}
