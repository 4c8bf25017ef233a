import { type Clock, systemClock } from './loop/clock.ts';
import { expectMs } from './loop/numbers.ts';

/**
 * A clock for tests: time stands still while anything can run, and then jumps to the next timer.
 *
 * Only what the loop knows of counts as running: real input or output that a program awaits does not stop the jump.
 * With `manual`, time moves only by `advance`.
 */
export class VirtualClock implements Clock {
  readonly #manual: boolean;
  readonly #timers = new Set<{ readonly whenMs: number; readonly callback: () => void }>();
  #nowMs: number;
  #jumping = false;

  /**
   * @param options.startMs the first value of `now()`, in milliseconds. @default 0
   * @param options.manual moves time only by `advance`. @default false
   */
  constructor(options: { readonly startMs?: number; readonly manual?: boolean } = {}) {
    const { startMs = 0 } = options;
    expectMs(startMs, 'startMs');
    this.#nowMs = startMs;
    this.#manual = options.manual ?? false;
  }

  now(): number {
    return this.#nowMs;
  }

  schedule(whenMs: number, callback: () => void): () => void {
    // A timer that is never due holds a real process open; here time cannot move to it.
    if (whenMs === Number.POSITIVE_INFINITY) return () => {};
    const timer = { whenMs, callback };
    this.#timers.add(timer);
    if (!this.#manual) this.#jumpSoon();
    return () => this.#timers.delete(timer);
  }

  defer(callback: () => void): void {
    systemClock.defer(callback);
  }

  /** Moves time on, and resolves when everything that became due has run until it waits again. */
  async advance(byMs: number): Promise<void> {
    expectMs(byMs, 'the time to advance');
    const untilMs = this.#nowMs + byMs;
    await this.#settle();
    for (let next = this.#next(); next !== undefined && next.whenMs <= untilMs; next = this.#next()) {
      this.#fire(next);
      await this.#settle();
    }
    this.#nowMs = untilMs;
  }

  /** Moves time without letting anybody run, as a computation that blocks the loop does. */
  block(forMs: number): void {
    expectMs(forMs, 'the time to block');
    this.#nowMs += forMs;
  }

  #jumpSoon(): void {
    if (this.#jumping) return;
    this.#jumping = true;
    this.defer(() => {
      this.#jumping = false;
      const next = this.#next();
      if (next !== undefined) this.#fire(next);
      if (this.#timers.size > 0) this.#jumpSoon();
    });
  }

  #next(): { readonly whenMs: number; readonly callback: () => void } | undefined {
    let first: { readonly whenMs: number; readonly callback: () => void } | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.whenMs < first.whenMs) first = timer;
    return first;
  }

  #fire(timer: { readonly whenMs: number; readonly callback: () => void }): void {
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.whenMs);
    timer.callback();
  }

  /** A turn of a loop takes at most two deferrals, and a program that is ready again takes the next ones. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < turnsToSettle; turn += 1) await new Promise<void>((resolve) => this.defer(resolve));
  }
}

/** More turns of the loop than any program in a test takes between two timers. */
const turnsToSettle = 50;
