import { park, type WaitOptions } from './loop/park.ts';
import { WaitLine } from './loop/wait-line.ts';
import { watched } from './loop/watched.ts';

/**
 * A flag that tasks wait for. Waiting for one that is set does not wait and is no cancellation point.
 *
 * Difference to Python: `wait` returns nothing.
 */
export class Event {
  readonly #waiters = new WaitLine();
  #value = false;

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiters.size;
  }

  isSet(): boolean {
    return this.#value;
  }

  /** Sets the flag and wakes everybody who waits, in the order they came. */
  set(): void {
    if (this.#value) return;
    this.#value = true;
    for (const waiter of this.#waiters) if (!waiter.done()) waiter.setResult();
  }

  clear(): void {
    this.#value = false;
  }

  /** Waits until the flag is set. */
  wait(options: WaitOptions = {}): Promise<void> {
    return watched(this.#wait(options));
  }

  async #wait(options: WaitOptions): Promise<void> {
    if (this.#value) return;
    const waiter = this.#waiters.join();
    try {
      await park(waiter, options);
    } finally {
      this.#waiters.leave(waiter);
    }
  }
}
