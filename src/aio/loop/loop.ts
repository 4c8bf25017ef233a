import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from './context.ts';
import { copyContext } from './context-var.ts';
import { InvalidStateError, isCancellation } from './errors.ts';
import { type Frame, frames } from './frames.ts';
import type { Handle } from './handle.ts';
import { expectMs } from './numbers.ts';
import { Turns } from './turns.ts';

export interface CallbackOptions {
  /** The context variables it sees and sets. @default a copy of those where it was registered */
  readonly context?: Context | undefined;
}

/** What a loop knows of its tasks. */
export interface LoopTask {
  readonly name: string;
  done(): boolean;
}

/**
 * asyncio's event loop on top of Node's: one queue of callbacks, first in first out, in turns.
 *
 * A turn moves the timers that are due behind the callbacks that are ready, calls exactly those, and then lets the host look
 * at its input and output; what they make ready waits for the next turn. A callback that resumes a task is over when that
 * task waits for something of this library or has ended, so the microtasks in between are invisible and tasks wake in the
 * same order as in Python. Callbacks run in no task, and see a copy of the context variables, and every AsyncLocalStorage,
 * as they were where the callback was registered. Differences to Python: a task that awaits a foreign promise without `until`
 * gives up its turn when all microtasks have run, and resumes when the promise does, not through this queue; timers with the
 * same deadline run in the order they were set, where Python leaves it open; a callback may be an async function, which runs
 * outside of every task, is not waited for, and whose failure is reported as that of any callback.
 */
export class Loop extends Turns {
  /** The tasks that have not ended, oldest first; `allTasks` gives them. @internal */
  readonly tasks = new Set<LoopTask>();
  /** The failures that nobody has awaited so far. @internal */
  readonly failures = new Set<{ report(): void }>();
  readonly #timers = new Set<Handle>();
  #closed = false;
  #named = 0;

  /** Calls back in the next turn, after everything that is ready already. @throws InvalidStateError when `run` has ended. */
  callSoon(callback: () => unknown, options: CallbackOptions = {}): Handle {
    return this.soon(this.#prepare(callback, options));
  }

  /**
   * Calls back after `delayMs` milliseconds, unless the program has ended by then.
   *
   * @throws TypeError or RangeError when the delay is no number, InvalidStateError when `run` has ended.
   */
  callLater(delayMs: number, callback: () => unknown, options: CallbackOptions = {}): Handle {
    expectMs(delayMs, 'the delay');
    return this.callAt(this.time() + delayMs, callback, options);
  }

  /**
   * Calls back when the loop's time has reached `whenMs`, unless the program has ended by then.
   *
   * @throws TypeError or RangeError when the instant is no number, InvalidStateError when `run` has ended.
   */
  callAt(whenMs: number, callback: () => unknown, options: CallbackOptions = {}): Handle {
    expectMs(whenMs, 'the instant');
    const call = this.#prepare(callback, options);
    const timer = this.at(whenMs, () => {
      this.#timers.delete(timer);
      call();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** Makes a callback of a user's function: it runs in no task, with what is current here. @internal */
  inContext(callback: () => unknown, { context = copyContext() }: CallbackOptions = {}): () => void {
    const inStores = AsyncLocalStorage.snapshot();
    const frame: Frame = { loop: this, task: undefined, scope: frames.getStore()?.scope, context };
    return () => inStores(() => frames.run(frame, () => this.#guard(callback())));
  }

  /** Drops the timers of a program that has ended: nothing calls back after `run`. @internal */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** A name for the next task that was given none. @internal */
  nextName(): string {
    this.#named += 1;
    return `Task-${this.#named}`;
  }

  #prepare(callback: () => unknown, options: CallbackOptions): () => void {
    if (typeof callback !== 'function') throw new TypeError(`expected a function to call back, got ${typeof callback}`);
    if (this.#closed) throw new InvalidStateError('the program of this loop has ended: nothing would call back');
    return this.inContext(callback, options);
  }

  /** An async function as a callback: nobody awaits its promise, so its failure is told as that of every callback. */
  #guard(returned: unknown): void {
    if (!(returned instanceof Promise)) return;
    returned.catch((error: unknown) => {
      if (!isCancellation(error)) this.unhandled({ message: 'a callback of the loop failed', task: undefined, error });
    });
  }
}
