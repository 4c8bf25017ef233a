import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, systemClock } from './clock.ts';
import { type Handle, Scheduled } from './handle.ts';
import { Timers } from './timers.ts';

/** A callback that blocked the loop. */
export interface SlowCallback {
  readonly task: string;
  readonly durationMs: number;
}

/** A failure that nobody awaited. */
export interface UnhandledError {
  readonly message: string;
  readonly task: string | undefined;
  readonly error: unknown;
}

export interface LoopOptions {
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of every callback that blocked the loop for `slowCallbackMs` or longer, with the task that did it. */
  readonly onSlowCallback?: (slow: SlowCallback) => void;
  /** @default 100 */
  readonly slowCallbackMs?: number;
  /** Told of every failure that nobody awaited. @default prints it with console.error */
  readonly onUnhandledError?: (failure: UnhandledError) => void;
}

/** Whose step it is. */
interface Stepper {
  readonly name: string;
}

/** The turns of a loop: what is ready and what is due, called in order, one step of a task at a time. See `Loop`. */
export class Turns {
  readonly #clock: Clock;
  readonly #options: LoopOptions;
  readonly #slowCallbackMs: number;
  readonly #timers: Timers;
  /** Callbacks belong to no task: without this they would inherit what is current in the one that happened to come before. */
  readonly #home = AsyncLocalStorage.snapshot();
  #ready: Scheduled[] = [];
  #batch: Scheduled[] = [];
  #next = 0;
  #turning = false;
  #turnDeferred = false;
  #stepping: Stepper | undefined;
  #stepped: string | undefined;
  #watching = false;
  #calling = false;
  #startedMs = 0;

  constructor(options: LoopOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#timers = new Timers(this.#clock, this.#beginTurn);
    this.#options = options;
    this.#slowCallbackMs = options.slowCallbackMs ?? 100;
  }

  /** The loop's time in milliseconds, on its clock's own scale. */
  time(): number {
    return this.#clock.now();
  }

  /** Calls a callback of this library in the next turn, after everything that is ready already. @internal */
  soon(callback: () => void): Handle {
    const handle = new Scheduled(callback);
    this.#ready.push(handle);
    if (!this.#turning) {
      // On a virtual clock time must not move on while something is ready.
      this.#timers.unarm();
      this.#deferTurn();
    }
    return handle;
  }

  /** Calls a callback of this library when the loop's time has reached `whenMs`. @internal */
  at(whenMs: number, callback: () => void): Handle {
    const timer = this.#timers.add(whenMs, callback);
    if (!this.#turning && !this.#turnDeferred) this.#timers.arm();
    return timer;
  }

  /** Reports a failure that nobody awaited. */
  unhandled(failure: UnhandledError): void {
    const report = this.#options.onUnhandledError ?? printFailure;
    report(failure);
  }

  /** Resumes a task from within a callback of this loop; nothing else runs until it waits again or ends. @internal */
  step(task: Stepper, resume: () => void): void {
    this.#stepping = task;
    this.#stepped = task.name;
    resume();
  }

  /** The task waits or has ended, so its step is over. @internal */
  stepEnded(task: Stepper): void {
    if (this.#stepping !== task) return;
    this.#stepping = undefined;
    if (this.#calling) return;
    this.#measure();
    queueMicrotask(this.#resumeTurn);
  }

  readonly #resumeTurn = (): void => {
    this.#home(() => this.#callReady());
  };

  readonly #beginTurn = (): void => {
    this.#turnDeferred = false;
    if (this.#turning) return;
    this.#turning = true;
    this.#timers.unarm();
    for (const timer of this.#timers.takeDue()) this.#ready.push(timer);
    this.#batch = this.#ready;
    this.#ready = [];
    this.#next = 0;
    this.#resumeTurn();
  };

  #callReady(): void {
    for (let handle = this.#batch[this.#next]; handle !== undefined; handle = this.#batch[this.#next]) {
      this.#next += 1;
      if (handle.cancelled) continue;
      this.#call(handle);
      if (this.#stepping !== undefined) {
        this.#watch();
        return;
      }
    }
    this.#turning = false;
    if (this.#ready.length > 0) this.#deferTurn();
    else this.#timers.arm();
  }

  #call(handle: Scheduled): void {
    if (this.#options.onSlowCallback !== undefined) this.#startedMs = this.time();
    this.#stepped = undefined;
    this.#calling = true;
    try {
      handle.callback();
    } catch (error) {
      this.unhandled({ message: 'a callback of the loop failed', task: undefined, error });
    } finally {
      this.#calling = false;
    }
    if (this.#stepping === undefined) this.#measure();
  }

  /** Ends the step of a task that awaits something foreign: it is over once all microtasks have run. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#clock.defer(() => {
      this.#watching = false;
      if (this.#stepping === undefined) return;
      this.#measure();
      this.#stepping = undefined;
      this.#resumeTurn();
    });
  }

  #measure(): void {
    const report = this.#options.onSlowCallback;
    if (report === undefined) return;
    const durationMs = this.time() - this.#startedMs;
    if (durationMs >= this.#slowCallbackMs) report({ task: this.#stepped ?? 'a callback of the loop', durationMs });
  }

  #deferTurn(): void {
    if (this.#turnDeferred) return;
    this.#turnDeferred = true;
    this.#clock.defer(this.#beginTurn);
  }
}

function printFailure({ message, task, error }: UnhandledError): void {
  console.error(task === undefined ? message : `${message} (${task})`, error);
}
