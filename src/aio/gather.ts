import { type Awaitable, ensureFuture, type ResultOf } from './ensure-future.ts';
import { CancelledError } from './errors.ts';
import { currentLoop } from './loop/current.ts';
import { Future } from './loop/future.ts';
import { inTask } from './loop/in-task.ts';
import { limited } from './loop/limited.ts';
import { park, type WaitOptions } from './loop/park.ts';

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
 * Runs async functions (and awaits tasks) together and returns their results in the order given.
 *
 * The first failure is thrown at once, and the others run on: use `taskGroup` where that is not wanted. Cancelling it cancels
 * all of them, and it ends when they have ended; with `returnExceptions` the cancellation is thrown all the same, and
 * without it the first one's. Differences to Python: takes an array; `concurrency`; with `returnExceptions` the outcomes are those of
 * `Promise.allSettled`, since JavaScript can throw any value; outside of `run`, `signal` cancels it.
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions & { readonly returnExceptions: true },
): Promise<Settled<A>>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions & { readonly returnExceptions?: false },
): Promise<Results<A>>;
export function gather(
  awaitables: readonly Awaitable<unknown>[],
  { concurrency, returnExceptions = false, signal }: GatherOptions = {},
): Promise<unknown> {
  return inTask(() => {
    const future = gathered(limited(awaitables, concurrency), returnExceptions);
    return park(future);
  }, signal);
}

function gathered(awaitables: readonly Awaitable<unknown>[], returnExceptions: boolean): Future<unknown> {
  const futures = new Map<unknown, Future<unknown>>();
  const children: Future<unknown>[] = [];
  for (const each of awaitables) {
    const future = futures.get(each) ?? ensureFuture(each);
    futures.set(each, future);
    children.push(future);
  }
  const distinct = new Set(children);
  const outer = new Gathering(children);
  if (distinct.size === 0) outer.setResult([]);
  let left = distinct.size;
  const onDone = (child: Future<unknown>) => {
    left -= 1;
    if (outer.done()) return void (child.failed() && child.exception());
    if (!returnExceptions && child.cancelled()) return outer.setException(outcomeError(child));
    if (!returnExceptions && child.failed()) return outer.setException(child.exception());
    if (left > 0) return;
    if (outer.cancelRequested) outer.setException(cancellationOf(child, outer));
    else outer.setResult(children.map(returnExceptions ? settled : (each) => each.result()));
  };
  const ended: Future<unknown>[] = [];
  for (const child of distinct) {
    if (child.done()) ended.push(child);
    else child.addDoneCallback(onDone);
  }
  for (const child of ended) onDone(child);
  return outer;
}

/** What `gather` waits for: cancelling it cancels the children, and it ends when they have. */
class Gathering extends Future<unknown> {
  readonly #children: readonly Future<unknown>[];
  cancelRequested = false;
  reason: unknown;

  constructor(children: readonly Future<unknown>[]) {
    super(currentLoop());
    this.#children = children;
  }

  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    let any = false;
    for (const child of this.#children) any = child.cancel(reason) || any;
    // Only when a child was there to be cancelled is there anything to report at the end.
    if (any) this.cancelRequested = true;
    this.reason = reason;
    return any;
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

function cancellationOf(child: Future<unknown>, outer: Gathering): unknown {
  return child.cancelled() ? outcomeError(child) : new CancelledError(outer.reason);
}
