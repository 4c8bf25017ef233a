import { expectCount } from './loop/numbers.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { WaitLine } from './loop/wait-line.ts';
import { watched } from './loop/watched.ts';

/**
 * Lets at most `value` in at a time, first come, first served: `using place = await semaphore.hold()`.
 *
 * Acquiring a free place does not wait and is no cancellation point. Differences to Python: `hold` instead of `async with`;
 * `acquire` returns nothing; it works outside of `run`.
 */
export class Semaphore {
  readonly #waiters = new WaitLine();
  #value: number;

  /**
   * @param value how many places there are. @default 1
   * @throws TypeError or RangeError when it is no number of 0 or more.
   */
  constructor(value = 1) {
    expectCount(value, 'the value of a semaphore', 0);
    this.#value = value;
  }

  /** How many places are free and not promised to anybody. */
  get value(): number {
    return this.#value;
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether `acquire` would wait: no place is free, or others come first. */
  locked(): boolean {
    return this.#value === 0 || this.#waiters.someoneWaits();
  }

  /** Waits for a place and takes it. */
  acquire(options: WaitOptions = {}): Promise<void> {
    return watched(this.#acquire(options));
  }

  async #acquire(options: WaitOptions): Promise<void> {
    if (!this.locked()) {
      this.#value -= 1;
      return;
    }
    const waiter = this.#waiters.join();
    try {
      await park(waiter, options);
    } catch (error) {
      // Cancelled just after it was given a place: the place goes back.
      if (waiter.done() && !waiter.cancelled()) this.#value += 1;
      throw error;
    } finally {
      this.#waiters.leave(waiter);
      while (this.#value > 0 && this.#wakeNext());
    }
  }

  /** Takes a place and gives it back when the scope is left. */
  hold(options: WaitOptions = {}): Promise<Disposable> {
    return watched(this.#hold(options));
  }

  async #hold(options: WaitOptions): Promise<Disposable> {
    await this.#acquire(options);
    return { [Symbol.dispose]: () => this.release() };
  }

  /** Gives a place back; it goes to the first who waits. */
  release(): void {
    this.#value += 1;
    this.#wakeNext();
  }

  #wakeNext(): boolean {
    for (const waiter of this.#waiters) {
      if (waiter.done()) continue;
      this.#value -= 1;
      waiter.setResult();
      return true;
    }
    return false;
  }
}
