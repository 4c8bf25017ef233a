import { currentLoop } from './current-loop.ts';
import { CancelledError, InvalidStateError, isCancellation } from './errors.ts';
import { Failure } from './failure.ts';
import type { Waitable } from './frames.ts';
import type { CallbackOptions, Loop } from './loop.ts';
import { park } from './park.ts';
import { watched } from './watched.ts';

type Outcome<T> =
  | { readonly status: 'waiting' }
  | { readonly status: 'succeeded'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'cancelled'; readonly error: unknown };

/**
 * A result that somebody sets later; `await` it from any number of tasks.
 *
 * Awaiting one that is done goes on at once and is no cancellation point. A failure that nobody looked at is reported when
 * the future is collected, or by `run` at its end. Differences to Python: it is a `Promise` in type, so an async function
 * that returns one returns its result; every `await` of a cancelled future throws the same error object.
 */
export class Future<T> implements Promise<T>, Waitable<T> {
  readonly loop: Loop;
  #failure: Failure | undefined;
  #outcome: Outcome<T> = { status: 'waiting' };
  #callbacks: { readonly callback: unknown; readonly call: () => void }[] = [];

  /** @param loop where callbacks run. @default the loop of the running task, or the one that serves code outside of `run` */
  constructor(loop: Loop = currentLoop()) {
    this.loop = loop;
  }

  get [Symbol.toStringTag](): string {
    return 'Future';
  }

  /** Whether it has a result, an error, or was cancelled. */
  done(): boolean {
    return this.#outcome.status !== 'waiting';
  }

  cancelled(): boolean {
    return this.#outcome.status === 'cancelled';
  }

  /**
   * The result.
   *
   * @throws the error it ended with, CancelledError when it was cancelled, InvalidStateError when it is not done.
   */
  result(): T {
    const outcome = this.#ended();
    if (outcome.status === 'succeeded') return outcome.value;
    this.#failure?.retrieve();
    throw outcome.error;
  }

  /**
   * The error it ended with, or undefined when it has a result.
   *
   * Difference to Python: JavaScript can throw `undefined`; ask `failed()` to tell that apart.
   * @throws CancelledError when it was cancelled, InvalidStateError when it is not done.
   */
  exception(): unknown {
    const outcome = this.#ended();
    if (outcome.status === 'cancelled') throw outcome.error;
    this.#failure?.retrieve();
    return outcome.status === 'failed' ? outcome.error : undefined;
  }

  /** Whether it ended with an error that is not a cancellation. */
  failed(): boolean {
    return this.#outcome.status === 'failed';
  }

  /** @throws InvalidStateError when it is done. */
  setResult(value: T): void {
    this.settle({ status: 'succeeded', value });
  }

  /** @throws InvalidStateError when it is done. */
  setException(error: unknown): void {
    this.settle({ status: 'failed', error });
  }

  /** Cancels it and wakes everybody who waits; returns false when it was done already. */
  cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    this.settle({ status: 'cancelled', error: new CancelledError(reason) });
    return true;
  }

  /** As `cancel`, but those who wait get `error` itself: how an AbortSignal ends a wait. */
  abort(error: unknown): boolean {
    if (this.done()) return false;
    this.settle({ status: 'cancelled', error });
    return true;
  }

  /** Calls back in a later turn of the loop once it is done, in no task, with what is current here; see `Loop`. */
  addDoneCallback(callback: (future: this) => unknown, options: CallbackOptions = {}): void {
    if (typeof callback !== 'function') throw new TypeError(`expected a function to call back, got ${typeof callback}`);
    this.#register(
      callback,
      this.loop.inContext(() => callback(this), options),
    );
  }

  /** As `addDoneCallback`, for callbacks of this library, which need nothing that is current. @internal */
  whenDone(callback: (future: this) => void): void {
    this.#register(callback, () => callback(this));
  }

  /** Forgets every registration of a callback that was not yet scheduled; returns how many there were. */
  removeDoneCallback(callback: (future: this) => unknown): number {
    const before = this.#callbacks.length;
    this.#callbacks = this.#callbacks.filter((each) => each.callback !== callback);
    return before - this.#callbacks.length;
  }

  // biome-ignore lint/suspicious/noThenProperty: `await task` must work, and tells who awaits what.
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const next = park(this).then(onFulfilled, onRejected);
    return onRejected ? next : watched(next);
  }

  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return watched(park(this).finally(onFinally));
  }

  /** Somebody has seen the error, or nobody needs to. @internal */
  retrieved(): this {
    this.#failure?.retrieve();
    return this;
  }

  /** Ends it. */
  protected settle(outcome: Exclude<Outcome<T>, { status: 'waiting' }>): void {
    if (this.done()) throw new InvalidStateError(`the future has already ${this.#outcome.status}`);
    this.#outcome = outcome;
    if (outcome.status === 'failed' && !isCancellation(outcome.error)) {
      this.#failure = Failure.watch(this, this.loop, this.described(), outcome.error);
    }
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const { call } of callbacks) this.loop.soon(call);
  }

  /** How the report of a failure that nobody awaited begins. */
  protected described(): { readonly message: string; readonly task?: string } {
    return { message: 'a future failed and nobody awaited it' };
  }

  #register(callback: unknown, call: () => void): void {
    if (this.done()) this.loop.soon(call);
    else this.#callbacks.push({ callback, call });
  }

  #ended(): Exclude<Outcome<T>, { status: 'waiting' }> {
    if (this.#outcome.status === 'waiting') throw new InvalidStateError('the result is not there yet');
    return this.#outcome;
  }
}
