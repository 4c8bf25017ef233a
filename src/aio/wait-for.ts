import { type Awaitable, adopt, ensureFuture } from './ensure-future.ts';
import { currentTask } from './loop/current-task.ts';
import { isCancellation, TimeoutError } from './loop/errors.ts';
import { Future } from './loop/future.ts';
import { inTask } from './loop/in-task.ts';
import { expectMsOrNone } from './loop/numbers.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { timeout } from './timeout.ts';

/**
 * Awaits something for at most `timeoutMs` milliseconds; when they are over it is cancelled, and awaited until it has ended.
 *
 * An async function runs in the current task; with zero or less it is never called. A result it returns in spite of the
 * cancellation is returned. To leave a task running, give `shield(task)`. Differences to Python: milliseconds; of a foreign promise only the
 * wait ends.
 *
 * @param timeoutMs undefined waits without a limit.
 * @throws TimeoutError, TypeError or RangeError when the timeout is no number of milliseconds
 */
export function waitFor<T>(
  awaitable: Awaitable<T>,
  timeoutMs: number | undefined,
  { signal }: WaitOptions = {},
): Promise<T> {
  return inTask(() => {
    expectMsOrNone(timeoutMs, 'the timeout');
    if (timeoutMs !== undefined && timeoutMs <= 0) return cancelAtOnce(ensureFuture(awaitable));
    return timeout(timeoutMs, () => resultOf(awaitable));
  }, signal);
}

async function cancelAtOnce<T>(future: Future<T>): Promise<T> {
  if (future.done()) return future.result();
  const ended = new Future<void>(future.loop);
  const onDone = () => {
    if (!ended.done()) ended.setResult();
  };
  future.whenDone(onDone);
  try {
    future.cancel();
    await park(ended);
  } finally {
    future.removeDoneCallback(onDone);
  }
  try {
    return future.result();
  } catch (error) {
    throw isCancellation(error) ? new TimeoutError(undefined, { cause: error }) : error;
  }
}

function resultOf<T>(awaitable: Awaitable<T>): PromiseLike<T> | T {
  if (awaitable instanceof Future) return awaitable;
  if (typeof awaitable !== 'function') return adopt(awaitable);
  const task = currentTask();
  return task === undefined ? park(ensureFuture(awaitable)) : awaitable(task);
}
