import { CancelledError, InvalidStateError, isCancellation } from '../errors.ts';
import { type Context, copyContext } from './context-var.ts';
import { currentFrame } from './current.ts';
import { Failure } from './failure.ts';
import { frames } from './frames.ts';
import { Future } from './future.ts';
import type { Loop } from './loop.ts';

/** What a task runs: an async function, given its own task. */
export type Body<T> = (task: Task<unknown>) => PromiseLike<T> | T;

export interface TaskOptions {
  /** @default Task-1, Task-2, … */
  readonly name?: string | undefined;
  /** The context variables it sees and sets. @default a copy of those of the running task */
  readonly context?: Context | undefined;
}

/**
 * An async function that runs on its own; `await` it for its result.
 *
 * **Cancellation** is asyncio's. `cancel()` delivers one CancelledError to the await in progress, or, when there is none, to
 * the next; code that catches it goes on and its next await works; another `cancel()` interrupts again, even a cleanup.
 * A task that awaits another sends the request inward and resumes only when that one has ended. Only waiting verbs of this
 * library are cancellation points, since JavaScript cannot throw into the await of a foreign promise.
 *
 * **AbortSignal** is the bridge: `signal` fires when the first request comes, with the CancelledError as its reason, and an
 * AbortError made of it counts as the cancellation. But a signal fires once and knows nothing of delivery: it stays aborted
 * during a cleanup, and a request whose only listener was the signal still meets the next wait. So start foreign calls
 * through `withSignal`, which makes such a call a wait like every other, and read `signal` directly only where nothing is
 * awaited afterwards. Once every request has been taken back (`uncancel`, a timeout scope that ended), `signal` is a new one.
 *
 * Differences to Python: a JavaScript function runs as soon as it is called, so an async function waits from its call, not from
 * its `await`; a task may therefore have several waits in progress (`Promise.all`), and a cancellation reaches each of them;
 * waits nobody awaited any more are cancelled when the task ends.
 */
export class Task<T> extends Future<T> {
  readonly name: string;
  readonly context: Context;
  readonly #waits = new Set<Future<unknown>>();
  #requests = 0;
  #mustCancel = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  #failure: Failure | undefined;

  constructor(body: Body<T>, loop: Loop, { name, context }: TaskOptions = {}) {
    super(loop);
    this.name = name ?? loop.nextName();
    this.context = context ?? copyContext();
    loop.tasks.add(this);
    const scope = currentFrame()?.scope;
    const begin = () => this.#begin(() => frames.run({ loop, task: this, scope }, body, this));
    loop.callSoon(begin);
  }

  /** Asks the task to end; returns false when it is done already, and then counts as having looked at its failure. */
  override cancel(reason?: unknown): boolean {
    if (this.done()) {
      this.retrieved();
      return false;
    }
    this.#requests += 1;
    this.#reason = reason;
    let delivered = false;
    for (const wait of [...this.#waits]) delivered = wait.cancel(reason) || delivered;
    if (!delivered) this.#mustCancel = true;
    this.#controller?.abort(new CancelledError(reason));
    return true;
  }

  /** How many requests to cancel have come and have not been taken back. */
  cancelling(): number {
    return this.#requests;
  }

  /** Takes one request back, for the one that made it; returns how many are left. */
  uncancel(): number {
    if (this.#requests > 0) {
      this.#requests -= 1;
      if (this.#requests === 0) {
        this.#mustCancel = false;
        if (this.#controller?.signal.aborted) this.#controller = undefined;
      }
    }
    return this.#requests;
  }

  /** Fires when cancellation is requested: give it to foreign code; see the class for how the two meet. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#requests > 0) this.#controller.abort(new CancelledError(this.#reason));
    }
    return this.#controller.signal;
  }

  /** @throws InvalidStateError always: only the task's own function ends it. */
  override setResult(): never {
    throw new InvalidStateError(`the result of ${this.name} comes from its function`);
  }

  /** @throws InvalidStateError always: only the task's own function ends it. */
  override setException(): never {
    throw new InvalidStateError(`the error of ${this.name} comes from its function`);
  }

  /** Makes a future the wait in progress. @internal */
  park<U>(future: Future<U>): Promise<U> {
    if (future === (this as Future<unknown>)) {
      return Promise.reject(new InvalidStateError(`${this.name} cannot await itself`));
    }
    return new Promise((resolve, reject) => {
      this.#waits.add(future);
      future.addDoneCallback(() => {
        this.#waits.delete(future);
        // A future of another program calls back on that program's loop; this task resumes on its own.
        if (future.loop !== this.loop) this.loop.callSoon(resume);
        else resume();
      });
      const resume = () => {
        // The wait ends in a cancellation of its own, and one is enough.
        if (future.cancelled()) this.#mustCancel = false;
        this.#resume(reject, () => {
          try {
            resolve(future.result());
          } catch (error) {
            reject(error);
          }
        });
      };
      if (this.#mustCancel && future.cancel(this.#reason)) this.#mustCancel = false;
      this.loop.stepEnded(this);
    });
  }

  /** Gives up the turn once, without a future. @internal */
  parkOnce(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.loop.callSoon(() => this.#resume(reject, resolve));
      this.loop.stepEnded(this);
    });
  }

  protected override retrieved(): void {
    this.#failure?.retrieve();
  }

  #begin(call: () => PromiseLike<T> | T): void {
    if (this.#mustCancel) {
      this.#fail(this.#takeCancellation());
      return;
    }
    this.loop.step(this, () => {
      const ended = new Promise<T>((resolve) => resolve(call()));
      ended.then(
        (value) => this.#succeed(value),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  #resume(reject: (error: unknown) => void, resume: () => void): void {
    if (this.done()) {
      resume();
      return;
    }
    this.loop.step(this, () => {
      if (this.#mustCancel) reject(this.#takeCancellation());
      else resume();
    });
  }

  #takeCancellation(): CancelledError {
    this.#mustCancel = false;
    return new CancelledError(this.#reason);
  }

  #succeed(value: T): void {
    // Cancelled right before its function returned: there was no wait left to deliver it to.
    if (this.#mustCancel) {
      this.#fail(this.#takeCancellation());
      return;
    }
    this.settle({ status: 'succeeded', value });
    this.#end();
  }

  #fail(error: unknown): void {
    if (isCancellation(error)) {
      this.settle({ status: 'cancelled', error });
    } else {
      this.#failure = Failure.watch(this, error);
      this.settle({ status: 'failed', error });
    }
    this.#end();
  }

  #end(): void {
    this.loop.tasks.delete(this);
    // A wait that nobody awaited any more, say the loser of a Promise.race.
    if (this.#waits.size > 0) for (const wait of [...this.#waits]) wait.cancel('the task has ended');
    this.loop.stepEnded(this);
  }
}
