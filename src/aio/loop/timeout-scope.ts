import { currentLoop } from './current-loop.ts';
import { currentTask } from './current-task.ts';
import { InvalidStateError, isCancellation, TimeoutError } from './errors.ts';
import { frames } from './frames.ts';
import type { Handle } from './handle.ts';
import { expectMsOrNone } from './numbers.ts';
import type { Scope } from './scope.ts';
import type { Task } from './task.ts';
import { watched } from './watched.ts';

type State = 'created' | 'active' | 'expiring' | 'expired' | 'finished';

/**
 * A deadline around a piece of code, see `timeout`; the code inside gets it to read or move its deadline.
 *
 * Made outside, it says afterwards how it went, as Python's `async with timeout(1) as scope` does:
 * `const scope = TimeoutScope.after(1_000); await scope.run(work); if (scope.expired()) …`
 */
export class TimeoutScope implements Scope {
  /** Makes one whose deadline is `delayMs` milliseconds from now; undefined never expires. @throws TypeError, RangeError */
  static after(delayMs: number | undefined): TimeoutScope {
    expectMsOrNone(delayMs, 'the timeout');
    return new TimeoutScope(delayMs === undefined ? undefined : currentLoop().time() + delayMs);
  }

  #outer: Scope | undefined;
  #state: State = 'created';
  #whenMs: number | undefined;
  #owner: Task<unknown> | undefined;
  #timer: Handle | undefined;
  #error: TimeoutError | undefined;

  /** @param whenMs the deadline on the loop's clock; without one it never expires. @throws TypeError, RangeError */
  constructor(whenMs: number | undefined) {
    expectMsOrNone(whenMs, 'the deadline');
    this.#whenMs = whenMs;
  }

  /** The scope around this one. */
  get outer(): Scope | undefined {
    return this.#outer;
  }

  /** The deadline in milliseconds on the loop's clock, or undefined when there is none. */
  when(): number | undefined {
    return this.#whenMs;
  }

  /** Whether the deadline passed and interrupted the code inside; also afterwards. */
  expired(): boolean {
    return this.#state === 'expiring' || this.#state === 'expired';
  }

  /** The TimeoutError that left this scope, if one did. */
  get error(): TimeoutError | undefined {
    return this.#error;
  }

  /** Fires at the deadline, and when the task is cancelled otherwise. */
  get signal(): AbortSignal {
    return this.#task().requests.signalIn(this);
  }

  /** Moves the deadline; one in the past interrupts at the next wait. @throws InvalidStateError when it is not active. */
  reschedule(whenMs: number | undefined): void {
    expectMsOrNone(whenMs, 'the deadline');
    if (this.#state === 'created') throw new InvalidStateError('the timeout has not been entered');
    if (this.#state !== 'active')
      throw new InvalidStateError(`cannot move the deadline of a timeout that is ${this.#state}`);
    this.#whenMs = whenMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (whenMs === undefined || whenMs === Number.POSITIVE_INFINITY) return;
    const { loop } = this.#task();
    const expire = () => this.#expire();
    this.#timer = whenMs <= loop.time() ? loop.soon(expire) : loop.at(whenMs, expire);
  }

  /**
   * Runs the code inside; once.
   *
   * @throws TimeoutError when the deadline interrupted it, InvalidStateError outside of a task and the second time.
   */
  run<T>(body: (scope: TimeoutScope) => PromiseLike<T> | T): Promise<T> {
    return watched(this.#run(body));
  }

  async #run<T>(body: (scope: TimeoutScope) => PromiseLike<T> | T): Promise<T> {
    if (this.#state !== 'created') throw new InvalidStateError('the timeout has already been entered');
    const frame = frames.getStore();
    const task = currentTask();
    if (frame === undefined || task === undefined) throw new InvalidStateError('a timeout works inside a task only');
    this.#outer = frame.scope;
    this.#owner = task;
    const around = task.requests.around(this);
    this.#state = 'active';
    this.reschedule(this.#whenMs);
    try {
      return await frames.run({ ...frame, scope: this }, async () => body(this));
    } catch (error) {
      if (!this.#leave(around) || !isCancellation(error)) throw error;
      this.#error = new TimeoutError(undefined, { cause: error });
      throw this.#error;
    } finally {
      this.#leave(around);
    }
  }

  /** Takes back the cancellation it made; returns whether nobody else wants the code cancelled. */
  #leave(around: number): boolean {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#state === 'active') this.#state = 'finished';
    if (this.#state !== 'expiring') return false;
    this.#state = 'expired';
    return this.#task().requests.leave(this) <= around;
  }

  #expire(): void {
    this.#task().interrupt(this);
    this.#state = 'expiring';
    this.#timer = undefined;
  }

  #task(): Task<unknown> {
    const task = this.#owner ?? currentTask();
    if (task === undefined) throw new InvalidStateError('a timeout works inside a task only');
    return task;
  }
}
