import { CancelledError, isCancellation } from './loop/errors.ts';
import { Future } from './loop/future.ts';
import { park } from './loop/park.ts';
import { watched } from './loop/watched.ts';

/**
 * Calls foreign code (undici, fs, timers) with an AbortSignal and awaits it as asyncio awaits an inner task.
 *
 * Cancellation aborts the signal and is delivered when the call has ended, so nothing is left running; a call that ignores
 * its signal and succeeds keeps its result, and swallows the cancellation as an inner task would. Each call has a signal of
 * its own, so a cleanup can use it while the task is being cancelled. Difference to Python: this is where AbortSignal comes in.
 */
export function withSignal<T>(start: (signal: AbortSignal) => PromiseLike<T>): Promise<T> {
  return watched(park(new ForeignCall(start)));
}

class ForeignCall<T> extends Future<T> {
  readonly #controller = new AbortController();

  constructor(start: (signal: AbortSignal) => PromiseLike<T>) {
    super();
    const call = new Promise<T>((resolve) => resolve(start(this.#controller.signal)));
    call.then(
      (value) => this.setResult(value),
      (error: unknown) => this.#fail(error),
    );
  }

  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    this.#controller.abort(new CancelledError(reason));
    return true;
  }

  #fail(error: unknown): void {
    const { aborted, reason } = this.#controller.signal;
    const isAbort =
      error === reason || isCancellation(error) || (error instanceof Error && error.name === 'AbortError');
    if (aborted && isAbort) this.abort(reason);
    else this.setException(error);
    this.retrieved();
  }
}
