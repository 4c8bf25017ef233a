import { currentLoop } from '../aio/index.ts';

/**
 * A flag that one loop waits for. It wakes in the next turn of the event loop, once for all that has come until then: under many calls
 * one look serves a dozen items that have ended. The event of `src/aio` does so too, but keeps a line of those who wait, and takes a
 * future, four promises, and a generator for it, which is much where calls end one by one.
 */
export class Wake {
  readonly #loop = currentLoop();
  #isSet = false;
  #resolve: (() => void) | undefined;

  /** Sets the flag, and wakes who waits. */
  set(): void {
    this.#isSet = true;
    if (this.#resolve === undefined) return;
    this.#loop.soon(this.#resolve);
    this.#resolve = undefined;
  }

  clear(): void {
    this.#isSet = false;
  }

  /** Waits until the flag is set. */
  wait(): Promise<void> {
    if (this.#isSet) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
