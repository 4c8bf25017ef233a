import { Lock } from './lock.ts';
import { InvalidStateError } from './loop/errors.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { WaitLine } from './loop/wait-line.ts';
import { watched } from './loop/watched.ts';

/**
 * Lets tasks that hold a lock wait until another says that something has changed: `using held = await condition.hold()`.
 *
 * `wait` takes the lock again before it ends, also when it is cancelled, and a notification it cannot use goes to another;
 * so `wait` may return for no reason, and the state must be looked at again. Difference to Python: `wait` returns nothing;
 * `signal` ends the wait for the notification, not the wait for the lock after it.
 */
export class Condition {
  readonly #lock: Lock;
  readonly #waiters = new WaitLine();

  /** @param lock shared with others. @default a lock of its own */
  constructor(lock: Lock = new Lock()) {
    this.#lock = lock;
  }

  /** How many wait for a notification. */
  get waiting(): number {
    return this.#waiters.size;
  }

  locked(): boolean {
    return this.#lock.locked();
  }

  acquire(options: WaitOptions = {}): Promise<void> {
    return this.#lock.acquire(options);
  }

  hold(options: WaitOptions = {}): Promise<Disposable> {
    return this.#lock.hold(options);
  }

  release(): void {
    this.#lock.release();
  }

  /** Gives the lock back, waits for a notification, and takes the lock again. @throws InvalidStateError without the lock. */
  wait(options: WaitOptions = {}): Promise<void> {
    return watched(this.#wait(options));
  }

  async #wait(options: WaitOptions): Promise<void> {
    if (!this.locked()) throw new InvalidStateError('cannot wait on a condition whose lock is not held');
    this.release();
    try {
      await this.#waitFor(options);
    } catch (error) {
      this.#notify(1);
      throw error;
    }
  }

  /** Waits until the predicate is true, looking at it after each notification; returns its value. */
  waitFor<T>(predicate: () => T, options: WaitOptions = {}): Promise<T> {
    return watched(this.#waitUntil(predicate, options));
  }

  async #waitUntil<T>(predicate: () => T, options: WaitOptions): Promise<T> {
    let result = predicate();
    while (!result) {
      await this.#wait(options);
      result = predicate();
    }
    return result;
  }

  /** Wakes up to `count` of those who wait. @throws InvalidStateError without the lock. */
  notify(count = 1): void {
    if (!this.locked()) throw new InvalidStateError('cannot notify on a condition whose lock is not held');
    this.#notify(count);
  }

  /** Wakes all who wait. @throws InvalidStateError without the lock. */
  notifyAll(): void {
    this.notify(this.#waiters.size);
  }

  async #waitFor(options: WaitOptions): Promise<void> {
    let interruption: { readonly error: unknown } | undefined;
    const waiter = this.#waiters.join();
    try {
      await park(waiter, options);
    } catch (error) {
      interruption = { error };
    }
    this.#waiters.leave(waiter);
    interruption = (await this.#reacquire()) ?? interruption;
    if (interruption !== undefined) throw interruption.error;
  }

  /** Takes the lock however often it is interrupted, and returns the last interruption. */
  async #reacquire(): Promise<{ readonly error: unknown } | undefined> {
    let interruption: { readonly error: unknown } | undefined;
    for (;;) {
      try {
        await this.acquire();
        return interruption;
      } catch (error) {
        interruption = { error };
      }
    }
  }

  #notify(count: number): void {
    let notified = 0;
    for (const waiter of this.#waiters) {
      if (notified >= count) return;
      if (waiter.done()) continue;
      notified += 1;
      waiter.setResult();
    }
  }
}
