import { InvalidStateError } from './loop/errors.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { WaitLine } from './loop/wait-line.ts';
import { watched } from './loop/watched.ts';

/**
 * Lets one at a time in, first come, first served: `using held = await lock.hold()`.
 *
 * Acquiring a free lock does not wait and is no cancellation point. Differences to Python: `hold` instead of `async with`;
 * `acquire` returns nothing; it may be shared between programs and works outside of `run`.
 */
export class Lock {
  readonly #waiters = new WaitLine();
  #locked = false;

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiters.size;
  }

  locked(): boolean {
    return this.#locked;
  }

  /** Waits for the lock and takes it. */
  acquire(options: WaitOptions = {}): Promise<void> {
    return watched(this.#acquire(options));
  }

  async #acquire(options: WaitOptions): Promise<void> {
    if (!this.#locked && !this.#waiters.someoneWaits()) {
      this.#locked = true;
      return;
    }
    const waiter = this.#waiters.join();
    try {
      await park(waiter, options);
    } catch (error) {
      this.#waiters.leave(waiter);
      // Cancelled just after it was woken: the turn passes on.
      if (!this.#locked) this.#wakeFirst();
      throw error;
    }
    this.#waiters.leave(waiter);
    this.#locked = true;
  }

  /** Takes the lock and gives it back when the scope is left. */
  hold(options: WaitOptions = {}): Promise<Disposable> {
    return watched(this.#hold(options));
  }

  async #hold(options: WaitOptions): Promise<Disposable> {
    await this.#acquire(options);
    return { [Symbol.dispose]: () => this.release() };
  }

  /** Gives the lock to the next who waits. @throws InvalidStateError when nobody holds it. */
  release(): void {
    if (!this.#locked) throw new InvalidStateError('the lock is not held by anybody');
    this.#locked = false;
    this.#wakeFirst();
  }

  #wakeFirst(): void {
    const { first } = this.#waiters;
    if (first?.done() === false) first.setResult();
  }
}
