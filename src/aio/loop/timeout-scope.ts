import { InvalidStateError, isCancellation, TimeoutError } from '../errors.ts';
import { currentFrame, currentTask } from './current.ts';
import { type Frame, frames } from './frames.ts';
import type { Handle } from './handle.ts';
import type { Task } from './task.ts';

type State = 'created' | 'active' | 'expiring' | 'expired' | 'finished';

/** A deadline around a piece of code, see `timeout`; the function inside gets it to read or move its deadline. */
export class TimeoutScope {
  /** The scope around this one. */
  readonly outer: TimeoutScope | undefined = currentFrame()?.scope;
  #state: State = 'created';
  #whenMs: number | undefined;
  #frame: Frame | undefined;
  #timer: Handle | undefined;
  #error: TimeoutError | undefined;

  /** @param whenMs the deadline on the loop's clock; without one it never expires. */
  constructor(whenMs: number | undefined) {
    this.#whenMs = whenMs;
  }

  /** The deadline in milliseconds on the loop's clock, or undefined when there is none. */
  when(): number | undefined {
    return this.#whenMs;
  }

  /** Whether the deadline has passed and interrupted the code inside. */
  expired(): boolean {
    return this.#state === 'expiring' || this.#state === 'expired';
  }

  /** The TimeoutError that left this scope, if one did. */
  get error(): TimeoutError | undefined {
    return this.#error;
  }

  /** Fires at the deadline, and when the task is cancelled otherwise: `task.signal`, which is renewed after the scope. */
  get signal(): AbortSignal {
    return this.#task().signal;
  }

  /** Moves the deadline; one in the past interrupts at the next wait. @throws InvalidStateError when it is not active. */
  reschedule(whenMs: number | undefined): void {
    if (this.#state === 'created') throw new InvalidStateError('the timeout has not been entered');
    if (this.#state !== 'active')
      throw new InvalidStateError(`cannot move the deadline of a timeout that is ${this.#state}`);
    this.#whenMs = whenMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (whenMs === undefined || whenMs === Number.POSITIVE_INFINITY) return;
    const { loop } = this.#task();
    const expire = () => this.#expire();
    this.#timer = whenMs <= loop.time() ? loop.callSoon(expire) : loop.callAt(whenMs, expire);
  }

  /** Runs the code inside; once. @internal */
  async enter<T>(body: (scope: TimeoutScope) => PromiseLike<T> | T): Promise<T> {
    if (this.#state !== 'created') throw new InvalidStateError('the timeout has already been entered');
    const frame = currentFrame();
    if (frame === undefined) throw new InvalidStateError('a timeout works inside a task only');
    this.#frame = frame;
    const cancelling = frame.task.cancelling();
    this.#state = 'active';
    this.reschedule(this.#whenMs);
    try {
      return await frames.run({ ...frame, scope: this }, async () => body(this));
    } catch (error) {
      if (!this.#leave(cancelling) || !isCancellation(error)) throw error;
      this.#error = new TimeoutError(undefined, { cause: error });
      throw this.#error;
    } finally {
      this.#leave(cancelling);
    }
  }

  /** Takes back the cancellation it made; returns whether nobody else wants the task cancelled. */
  #leave(cancelling: number): boolean {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#state === 'active') this.#state = 'finished';
    if (this.#state !== 'expiring') return false;
    this.#state = 'expired';
    return this.#task().uncancel() <= cancelling;
  }

  #expire(): void {
    this.#task().cancel();
    this.#state = 'expiring';
    this.#timer = undefined;
  }

  #task(): Task<unknown> {
    const task = this.#frame?.task ?? currentTask();
    if (task === undefined) throw new InvalidStateError('a timeout works inside a task only');
    return task;
  }
}
