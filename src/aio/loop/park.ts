import { frames, type Waitable } from './frames.ts';

/** What every verb that waits accepts. */
export interface WaitOptions {
  /**
   * Ends the wait with `signal.reason`, for programs that come from outside of `run`. What need not wait succeeds even when
   * the signal is aborted, as it does when the task is cancelled.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a future: the one place where a task gives up its turn, and therefore the cancellation point.
 *
 * Inside a task the future becomes the task's wait in progress, which `task.cancel()` cancels; outside it is awaited simply.
 * `signal` aborts the future itself, so give it only with a future that nobody else awaits.
 */
export function park<T>(future: Waitable<T>, { signal }: WaitOptions = {}): Promise<T> {
  if (future.done()) return new Promise((resolve) => resolve(future.result()));
  const task = frames.getStore()?.task;
  if (signal === undefined) return task === undefined ? outside(future) : task.park(future);
  const onAbort = () => void future.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const waiting = task === undefined ? outside(future) : task.park(future);
  return waiting.finally(() => signal.removeEventListener('abort', onAbort));
}

function outside<T>(future: Waitable<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    future.whenDone(() => {
      try {
        resolve(future.result());
      } catch (error) {
        reject(error);
      }
    });
  });
}
