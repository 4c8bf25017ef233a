import { inTask } from './loop/in-task.ts';
import type { WaitOptions } from './loop/park.ts';
import { withSignal } from './with-signal.ts';

/** Worker threads that run tasks; `src/runtime/thread-pool.ts` makes one. */
export interface ThreadPool<Input, Output> {
  /** Runs one task; when `signal` fires, its thread is ended and the promise rejects. */
  run(input: Input, options: ThreadRunOptions): Promise<Output>;
}

export interface ThreadRunOptions {
  readonly signal: AbortSignal;
  /** What is handed over to the thread instead of being copied. */
  readonly transferList?: readonly object[];
}

export interface ToThreadOptions extends WaitOptions {
  /** What is handed over to the thread instead of being copied: it is empty here afterwards. @default nothing */
  readonly transferList?: readonly object[];
}

/**
 * Runs a computation on a worker thread, so that the loop stays free for others.
 *
 * Differences to Python: a thread shares no memory, so it takes a pool that names the code and an input that is copied or
 * transferred, not a closure, and context variables do not follow; cancellation ends the thread, where Python's runs on.
 */
export function toThread<Input, Output>(
  pool: ThreadPool<Input, Output>,
  input: Input,
  { transferList, signal }: ToThreadOptions = {},
): Promise<Output> {
  return inTask(
    () =>
      withSignal((abort) => pool.run(input, { signal: abort, ...(transferList !== undefined && { transferList }) })),
    signal,
  );
}
