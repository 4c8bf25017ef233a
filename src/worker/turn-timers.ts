import type { Clock } from '../ports.ts';

/** A timer that several wait for. */
interface SharedTimer {
  readonly at: number;
  readonly delayMs: number;
  readonly callbacks: Array<(() => void) | undefined>;
  left: number;
  cancel: () => void;
}

/**
 * Timers of what starts together. Under many calls a dozen start in one turn of the event loop, all with the same timeout: they share one
 * timer, since one of its own costs an attempt as much as its row does. It is shared within one turn and one millisecond only, so that
 * nobody's comes early, whatever the clock is set to and however long the others compute before.
 */
export class TurnTimers implements Clock {
  readonly #clock: Clock;
  #last: SharedTimer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A turn begins: timers of the last one are shared no longer. */
  turn(): void {
    this.#last = undefined;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    const now = this.#clock.now();
    const last = this.#last;
    const timer = last !== undefined && last.at === now && last.delayMs === delayMs ? last : this.#start(now, delayMs);
    const { callbacks } = timer;
    const place = callbacks.push(callback) - 1;
    timer.left++;
    return () => {
      if (callbacks[place] === undefined) return;
      callbacks[place] = undefined;
      timer.left--;
      if (timer.left > 0) return;
      timer.cancel();
      // Nothing may join it any more.
      if (this.#last === timer) this.#last = undefined;
    };
  }

  #start(at: number, delayMs: number): SharedTimer {
    const timer: SharedTimer = { at, delayMs, callbacks: [], left: 0, cancel: () => undefined };
    timer.cancel = this.#clock.after(delayMs, () => {
      // Each for itself, as by a timer of its own: what one throws, or takes back, is nothing to the others.
      for (const place of timer.callbacks.keys()) queueMicrotask(() => timer.callbacks[place]?.());
    });
    this.#last = timer;
    return timer;
  }
}
