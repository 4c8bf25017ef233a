import type { Clock } from './loop/clock.ts';
import { inProgram } from './loop/current-loop.ts';
import { CancelledError, InterruptedError, InvalidStateError } from './loop/errors.ts';
import { Loop } from './loop/loop.ts';
import { expectMs } from './loop/numbers.ts';
import { park } from './loop/park.ts';
import { type Body, Task } from './loop/task.ts';
import type { SlowCallback, UnhandledError } from './loop/turns.ts';

export interface RunOptions {
  /** @default systemClock */
  readonly clock?: Clock;
  /** Cancels the program; `run` then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Subscribes to the user's interrupts (Ctrl-C) and returns how to unsubscribe: the first cancels the program, a second
   * makes `run` reject at once. `src/runtime/interrupt.ts` has the one for SIGINT. @default none, so that this stays pure
   */
  readonly onInterrupt?: (interrupt: () => void) => () => void;
  /** Names each callback that blocks the loop for `slowCallbackMs` or longer. @default false */
  readonly debug?: boolean;
  /** @default 100 */
  readonly slowCallbackMs?: number;
  /** Where `debug` reports. @default prints with console.warn */
  readonly onSlowCallback?: (slow: SlowCallback) => void;
  /** Where failures that nobody awaited are reported. @default prints with console.error */
  readonly onUnhandledError?: (failure: UnhandledError) => void;
}

/**
 * Runs a program: calls `main` as the first task, and when it has ended cancels and awaits every task that is left.
 *
 * Several programs may run side by side, each with its own loop. Differences to Python: SIGINT comes through `onInterrupt`
 * and ends in InterruptedError; tasks that are created while the rest is being cancelled are cancelled and awaited too; a
 * task that awaits a foreign promise without `until` or `withSignal` cannot be interrupted, and `run` waits for it.
 *
 * @throws what `main` throws, `signal.reason` when the signal cancelled it, InterruptedError when the user did,
 *   CancelledError when it was cancelled otherwise, InvalidStateError inside another `run`.
 */
export async function run<T>(main: Body<T>, options: RunOptions = {}): Promise<T> {
  if (inProgram()) throw new InvalidStateError('run() cannot be called from a running task: await it instead');
  const { signal, onInterrupt } = options;
  if (options.slowCallbackMs !== undefined) expectMs(options.slowCallbackMs, 'slowCallbackMs');
  const loop = new Loop(loopOptions(options));
  const task = new Task(main, loop);
  const abandoned = Promise.withResolvers<never>();
  let interrupts = 0;
  const unsubscribe = onInterrupt?.(() => {
    interrupts += 1;
    if (interrupts === 1) task.cancel('interrupted');
    else abandoned.reject(new InterruptedError('interrupted twice: the program was left before it had ended'));
  });
  const onAbort = () => void task.cancel(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([endOf(task, loop), abandoned.promise]);
  } catch (error) {
    if (!task.cancelled()) throw error;
    if (interrupts > 0 && task.uncancel() === 0) throw new InterruptedError(undefined, { cause: error });
    throw signal?.aborted && error instanceof CancelledError && error.reason === signal.reason ? signal.reason : error;
  } finally {
    unsubscribe?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

async function endOf<T>(task: Task<T>, loop: Loop): Promise<T> {
  try {
    return await park(task);
  } finally {
    await endAll(loop);
  }
}

/** Cancels each task that is left once, oldest first, and waits until there is none. */
async function endAll(loop: Loop): Promise<void> {
  const asked = new Set<Task<unknown>>();
  while (loop.tasks.size > 0) {
    const left = allTasks(loop).filter((task) => !asked.has(task));
    for (const task of left) {
      asked.add(task);
      task.cancel('the program has ended');
    }
    await Promise.allSettled(allTasks(loop).map(ended));
  }
  for (const failure of [...loop.failures]) failure.report();
  loop.close();
}

function allTasks(loop: Loop): Task<unknown>[] {
  // Only a Task enters itself in its loop.
  return [...loop.tasks] as Task<unknown>[];
}

function ended(task: Task<unknown>): Promise<void> {
  return new Promise((resolve) => task.whenDone(() => resolve()));
}

function loopOptions(options: RunOptions): ConstructorParameters<typeof Loop>[0] {
  const { clock, debug, slowCallbackMs, onSlowCallback, onUnhandledError } = options;
  return {
    ...(clock !== undefined && { clock }),
    ...(debug && { onSlowCallback: onSlowCallback ?? printSlow }),
    ...(slowCallbackMs !== undefined && { slowCallbackMs }),
    ...(onUnhandledError !== undefined && { onUnhandledError }),
  };
}

function printSlow({ task, durationMs }: SlowCallback): void {
  console.warn(`${task} blocked the loop for ${Math.round(durationMs)} ms`);
}
