import { type Awaitable, ensureFuture, type ResultOf } from './ensure-future.ts';
import { limited } from './limited.ts';
import { currentLoop } from './loop/current-loop.ts';
import { CancelledError } from './loop/errors.ts';
import { Future } from './loop/future.ts';
import type { WaitOptions } from './loop/park.ts';

export interface GatherOptions extends WaitOptions {
  /** How many of the async functions run at a time. @default all of them */
  readonly concurrency?: number | undefined;
  /** Gives each outcome instead of throwing the first failure. @default false */
  readonly returnExceptions?: boolean;
}

/** The results of what was given, in its order. */
export type Results<A extends readonly unknown[]> = { -readonly [K in keyof A]: ResultOf<A[K]> };

/** The outcomes of what was given, in its order. */
export type Settled<A extends readonly unknown[]> = { -readonly [K in keyof A]: PromiseSettledResult<ResultOf<A[K]>> };

/**
 * Runs async functions (and awaits tasks) together and returns a future of their results in the order given.
 *
 * A function is called each time it is given; a task or promise given twice is awaited once. The first failure is thrown at
 * once, and the others run on: use `taskGroup` where that is not wanted. Cancelling it, as a whole (`cancel()`) or through
 * the task that awaits it, cancels all of them, and it ends when they have ended; with `returnExceptions` the cancellation is
 * thrown all the same, and without it the first one's. It may be given to another `gather`. Differences to Python: takes an
 * array; `concurrency`; with `returnExceptions` the outcomes are those of `Promise.allSettled`, since JavaScript can throw any
 * value; it works outside of `run`; `signal` cancels it.
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions & { readonly returnExceptions: true },
): Future<Settled<A>>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions & { readonly returnExceptions?: false },
): Future<Results<A>>;
export function gather(awaitables: readonly Awaitable<unknown>[], options: GatherOptions = {}): Future<unknown> {
  try {
    return gathered(awaitables, options);
  } catch (error) {
    const refused = new Future<never>();
    refused.setException(error);
    return refused;
  }
}

function gathered(
  awaitables: readonly Awaitable<unknown>[],
  { concurrency, returnExceptions = false, signal }: GatherOptions,
): Future<unknown> {
  if (!Array.isArray(awaitables)) throw new TypeError('gather takes an array: gather([a, b])');
  const futures = new Map<unknown, Future<unknown>>();
  const children = limited(awaitables, concurrency).map((each) => {
    if (typeof each === 'function') return ensureFuture(each);
    const future = futures.get(each) ?? ensureFuture(each);
    futures.set(each, future);
    return future;
  });
  const outer = new Gathering(children, returnExceptions);
  outer.start(signal);
  return outer;
}

/** What `gather` returns: cancelling it cancels the children, and it ends when they have. */
class Gathering extends Future<unknown> {
  readonly #children: readonly Future<unknown>[];
  readonly #returnExceptions: boolean;
  #left = 0;
  #cancelRequested = false;
  #reason: unknown;
  #aborted: AbortSignal | undefined;

  constructor(children: readonly Future<unknown>[], returnExceptions: boolean) {
    super(currentLoop());
    this.#children = children;
    this.#returnExceptions = returnExceptions;
  }

  start(signal: AbortSignal | undefined): void {
    const distinct = new Set(this.#children);
    this.#left = distinct.size;
    if (this.#left === 0) this.setResult([]);
    const onDone = (child: Future<unknown>) => this.#onDone(child);
    const ended: Future<unknown>[] = [];
    for (const child of distinct) {
      if (child.done()) ended.push(child);
      else child.whenDone(onDone);
    }
    for (const child of ended) this.#onDone(child);
    if (signal !== undefined && !this.done()) this.#heed(signal);
  }

  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    let any = false;
    for (const child of this.#children) any = child.cancel(reason) || any;
    // Only when a child was there to be cancelled is there anything to report at the end.
    if (any) this.#cancelRequested = true;
    this.#reason = reason;
    return any;
  }

  protected override described(): { readonly message: string } {
    return { message: 'a gather failed and nobody awaited it' };
  }

  #heed(signal: AbortSignal): void {
    const onAbort = () => {
      if (this.cancel(signal.reason)) this.#aborted = signal;
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.whenDone(() => signal.removeEventListener('abort', onAbort));
  }

  #onDone(child: Future<unknown>): void {
    this.#left -= 1;
    if (this.done()) {
      if (child.failed()) child.retrieved();
    } else if (!this.#returnExceptions && child.cancelled()) {
      this.#endCancelled(outcomeError(child));
    } else if (!this.#returnExceptions && child.failed()) {
      this.setException(child.exception());
    } else if (this.#left > 0) {
      // The others are awaited.
    } else if (this.#cancelRequested) {
      this.#endCancelled(child.cancelled() ? outcomeError(child) : new CancelledError(this.#reason));
    } else {
      this.setResult(this.#children.map(this.#returnExceptions ? settled : (each) => each.result()));
    }
  }

  #endCancelled(error: unknown): void {
    if (this.#aborted === undefined) this.setException(error);
    else super.abort(this.#aborted.reason);
  }
}

function settled(child: Future<unknown>): PromiseSettledResult<unknown> {
  try {
    return { status: 'fulfilled', value: child.result() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

function outcomeError(child: Future<unknown>): unknown {
  try {
    return child.result();
  } catch (error) {
    return error;
  }
}
