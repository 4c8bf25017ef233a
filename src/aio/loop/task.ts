import type { Context } from './context.ts';
import { copyContext } from './context-var.ts';
import { CancelledError, InvalidStateError, isCancellation } from './errors.ts';
import { frames, type Parker, type Waitable } from './frames.ts';
import { Future } from './future.ts';
import type { Loop } from './loop.ts';
import { Requests } from './requests.ts';
import { encloses, type Scope } from './scope.ts';

/** What a task runs: an async function, given its own task. */
export type Body<T> = (task: Task<unknown>) => PromiseLike<T> | T;

export interface TaskOptions {
  /** @default Task-1, Task-2, … */
  readonly name?: string | undefined;
  /** The context variables it sees and sets. @default a copy of those of the running task */
  readonly context?: Context | undefined;
}

/** A wait in progress, and where in the code it stands. */
interface Wait {
  /** Undefined when it waits for its next turn only: then it is interrupted when that comes. */
  readonly future: Waitable<unknown> | undefined;
  readonly scope: Scope | undefined;
  /** What its cancellation is where it arrives. */
  instead?: (() => unknown) | undefined;
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
 * its `await`; a task may therefore have several waits in progress (`Promise.all`), and a cancellation reaches each of them,
 * but a timeout or a task group only those inside it. Starting a wait ends the task's step, so code between a wait and its
 * `await` runs among other tasks' steps, and a wait that is never awaited may be the one that a request is delivered to. Waits nobody awaited any more are cancelled when the task ends. A task
 * sees what every AsyncLocalStorage had where it was created, as it sees the context variables.
 */
export class Task<T> extends Future<T> implements Parker {
  readonly name: string;
  readonly context: Context;
  readonly #waits = new Set<Wait>();
  readonly #requests = new Requests();
  #interruption: (() => unknown) | undefined;

  constructor(body: Body<T>, loop: Loop, { name, context }: TaskOptions = {}) {
    super(loop);
    this.name = name ?? loop.nextName();
    this.context = context ?? copyContext();
    loop.tasks.add(this);
    const frame = { loop, task: this, scope: frames.getStore()?.scope, context: this.context };
    // A promise's callback sees every AsyncLocalStorage as it was here; a snapshot would do the same for 5 µs more. The
    // promise inside the frame lets this task await a future that the function returns.
    const started = Promise.withResolvers<void>();
    const call = () => new Promise<T>((resolve) => resolve(body(this)));
    const ended = started.promise.then(() => frames.run(frame, call));
    loop.soon(() => this.#begin(started.resolve, ended));
  }

  override get [Symbol.toStringTag](): string {
    return 'Task';
  }

  /** Asks the task to end; returns false when it is done already, and then counts as having looked at its failure. */
  override cancel(reason?: unknown): boolean {
    if (this.done()) {
      this.retrieved();
      return false;
    }
    this.#requests.add(reason);
    this.#deliver(reason);
    return true;
  }

  /** How many requests to cancel have come and have not been taken back. */
  cancelling(): number {
    return this.#requests.count;
  }

  /** Takes one request back, for the one that made it; returns how many are left. */
  uncancel(): number {
    return this.#requests.takeBack();
  }

  /**
   * Fires when cancellation is requested: give it to foreign code; see the class for how the two meet. In a timeout it is
   * that scope's, which fires at the deadline too.
   */
  get signal(): AbortSignal {
    const frame = frames.getStore();
    return this.#requests.signalIn(frame?.task === this ? frame.scope : undefined);
  }

  /** @throws InvalidStateError always: only the task's own function ends it. */
  override setResult(): never {
    throw new InvalidStateError(`the result of ${this.name} comes from its function`);
  }

  /** @throws InvalidStateError always: only the task's own function ends it. */
  override setException(): never {
    throw new InvalidStateError(`the error of ${this.name} comes from its function`);
  }

  /** What the scopes of this task know of its requests to cancel. @internal */
  get requests(): Requests {
    return this.#requests;
  }

  /** Cancels only what waits inside a scope, or will; `requests.leave` takes it back. @internal */
  interrupt(scope: Scope): void {
    if (this.done()) return;
    this.#requests.add(undefined, scope);
    this.#deliver(undefined, scope);
  }

  /** Cancels it, and makes an error of the cancellation where that arrives; without a function, takes that back. @internal */
  interruptWith(error: (() => unknown) | undefined): void {
    this.#interruption = error;
    if (error !== undefined) this.cancel();
  }

  /** Makes a future a wait in progress. @internal */
  park<U>(future: Waitable<U>): Promise<U> {
    if (future === (this as Waitable<unknown>)) {
      return Promise.reject(new InvalidStateError(`${this.name} cannot await itself`));
    }
    return new Promise((resolve, reject) => {
      const wait: Wait = { future, scope: frames.getStore()?.scope };
      this.#waits.add(wait);
      future.whenDone(() => {
        this.#waits.delete(wait);
        // A future of another program calls back on that program's loop; this task resumes on its own.
        if (future.loop !== this.loop) this.loop.soon(resume);
        else resume();
      });
      const resume = () => {
        // The wait ends in a cancellation of its own, and one is enough.
        if (future.cancelled()) this.#requests.deliveredIn(wait.scope);
        this.#resume(wait.scope, reject, () => {
          try {
            resolve(future.result());
          } catch (error) {
            reject(wait.instead !== undefined && isCancellation(error) ? wait.instead() : error);
          }
        });
      };
      if (this.#requests.isDueIn(wait.scope) && future.cancel(this.#requests.reason)) {
        wait.instead = this.#interruption;
        this.#interruption = undefined;
        this.#requests.deliveredIn(wait.scope);
      }
      this.loop.stepEnded(this);
    });
  }

  /** Gives up the turn once, without a future. @internal */
  parkOnce(): Promise<void> {
    return new Promise((resolve, reject) => {
      const wait = { future: undefined, scope: frames.getStore()?.scope };
      this.#waits.add(wait);
      this.loop.soon(() => {
        this.#waits.delete(wait);
        this.#resume(wait.scope, reject, resolve);
      });
      this.loop.stepEnded(this);
    });
  }

  protected override described(): { readonly message: string; readonly task: string } {
    return { message: 'a task failed and nobody awaited it', task: this.name };
  }

  #begin(start: () => void, ended: Promise<T>): void {
    if (this.#requests.isDueIn(undefined)) {
      this.#fail(this.#takeCancellation(undefined));
      return;
    }
    this.loop.step(this, () => {
      start();
      ended.then(
        (value) => this.#succeed(value),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  #resume(scope: Scope | undefined, reject: (error: unknown) => void, resume: () => void): void {
    if (this.done()) {
      resume();
      return;
    }
    this.loop.step(this, () => {
      if (this.#requests.isDueIn(scope)) reject(this.#takeCancellation(scope));
      else resume();
    });
  }

  /** Cancels the waits in progress; one that has just ended is interrupted when it resumes, and so is the next. */
  #deliver(reason: unknown, scope?: Scope): void {
    const waits = [...this.#waits].filter((wait) => scope === undefined || encloses(scope, wait.scope));
    // Code of this task that asks for it is not waiting, so its own next wait is meant too.
    let delivered = waits.length > 0 && frames.getStore()?.task !== this;
    for (const wait of waits) {
      const accepted = wait.future?.cancel(reason) === true;
      if (accepted) wait.instead = this.#interruption;
      delivered = accepted && delivered;
    }
    if (delivered) this.#interruption = undefined;
    else this.#requests.makeDue(scope);
    this.#requests.fireSignals(reason, scope);
  }

  #takeCancellation(scope: Scope | undefined): unknown {
    this.#requests.deliveredIn(scope);
    const instead = this.#interruption;
    this.#interruption = undefined;
    return instead === undefined ? new CancelledError(this.#requests.reason) : instead();
  }

  #succeed(value: T): void {
    // Cancelled right before its function returned: there was no wait left to deliver it to.
    if (this.#requests.isDueIn(undefined)) {
      this.#fail(this.#takeCancellation(undefined));
      return;
    }
    this.settle({ status: 'succeeded', value });
    this.#end();
  }

  #fail(error: unknown): void {
    this.settle(isCancellation(error) ? { status: 'cancelled', error } : { status: 'failed', error });
    this.#end();
  }

  #end(): void {
    this.loop.tasks.delete(this);
    // A wait that nobody awaited any more, say the loser of a Promise.race.
    if (this.#waits.size > 0) for (const { future } of [...this.#waits]) future?.cancel('the task has ended');
    this.loop.stepEnded(this);
  }
}
