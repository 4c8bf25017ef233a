import { currentLoop, inProgram } from './current-loop.ts';
import { isCancellation } from './errors.ts';
import { Failure } from './failure.ts';
import type { Loop } from './loop.ts';

/**
 * Gives the promise of a verb to the program: when nobody awaits it, a failure is reported as that of a task nobody awaited,
 * and a cancellation, which comes to every wait that is left at the end of its task, is no failure. A plain promise would
 * end in an unhandled rejection, which kills the process.
 */
export function watched<T>(promise: Promise<T>): Promise<T> {
  return inProgram() ? new Watched(promise, currentLoop()) : promise;
}

class Watched<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  readonly #failure: { heard: boolean; failure: Failure | undefined };

  constructor(promise: Promise<T>, loop: Loop) {
    super((resolve, reject) => {
      promise.then(resolve, reject);
    });
    const state: { heard: boolean; failure: Failure | undefined } = { heard: false, failure: undefined };
    this.#failure = state;
    super.then(undefined, (error: unknown) => {
      if (state.heard || isCancellation(error)) return;
      state.failure = Failure.watch(this, loop, { message: 'a wait failed and nobody awaited it' }, error);
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: It is a promise that knows whether somebody listens.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#failure.heard = true;
    this.#failure.failure?.retrieve();
    return super.then(onFulfilled, onRejected);
  }
}
