import { currentLoop } from './current-loop.ts';
import { currentTask } from './current-task.ts';
import { park } from './park.ts';
import { type Body, Task } from './task.ts';
import { watched } from './watched.ts';

/** Calls a function in the running task; outside of `run`, in a task made for it, which `signal` cancels. */
export function inTask<T>(body: Body<T>, signal?: AbortSignal): Promise<T> {
  return watched(inTaskOrHere(body, signal));
}

async function inTaskOrHere<T>(body: Body<T>, signal?: AbortSignal): Promise<T> {
  const current = currentTask();
  if (current !== undefined && signal === undefined) return body(current);
  const task = new Task(body, currentLoop());
  let aborted = false;
  const onAbort = () => {
    aborted = task.cancel(signal?.reason);
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await park(task);
  } catch (error) {
    if (aborted && task.cancelled() && !current?.cancelling()) throw signal?.reason;
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
