import { inTask } from './loop/in-task.ts';
import type { WaitOptions } from './loop/park.ts';
import { TimeoutScope } from './loop/timeout-scope.ts';

/** The code inside a timeout. */
export type TimedBody<T> = (scope: TimeoutScope) => PromiseLike<T> | T;

/**
 * Runs code with at most `delayMs` milliseconds; when they are over, the wait in progress inside is cancelled, and if that
 * cancellation leaves the scope it becomes a TimeoutError.
 *
 * Scopes nest; the outermost deadline that has passed is the one reported. What the task awaits beside the scope
 * (`Promise.all`) is not interrupted. Code that never waits is never interrupted, and a cancellation from outside stays a
 * CancelledError. Outside of `run`, a task is made for the code, and `signal` cancels it. To ask afterwards whether it
 * expired, make a `TimeoutScope`. Differences to Python: milliseconds; a function instead of `async with`, since `await using`
 * cannot change an error; a foreign promise is interrupted only through `withSignal`, `until`, or `scope.signal`; the error's
 * `cause` is the cancellation, and an error raised while cleaning up keeps its own cause, as JavaScript does not chain errors
 * by itself.
 *
 * @param delayMs undefined never times out; zero or less interrupts at the first wait.
 * @throws TimeoutError, TypeError or RangeError when the delay is no number of milliseconds
 */
export function timeout<T>(delayMs: number | undefined, body: TimedBody<T>, options: WaitOptions = {}): Promise<T> {
  return inTask(() => TimeoutScope.after(delayMs).run(body), options.signal);
}

/**
 * As `timeout`, with an instant instead of a duration.
 *
 * @param whenMs milliseconds on the loop's clock (`currentLoop().time()`), not the time of day.
 * @throws TimeoutError, TypeError or RangeError when the instant is no number of milliseconds
 */
export function timeoutAt<T>(whenMs: number | undefined, body: TimedBody<T>, options: WaitOptions = {}): Promise<T> {
  return inTask(() => new TimeoutScope(whenMs).run(body), options.signal);
}
