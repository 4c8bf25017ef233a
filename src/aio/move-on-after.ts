import type { WaitOptions } from './loop/park.ts';
import type { TimeoutScope } from './loop/timeout-scope.ts';
import { watched } from './loop/watched.ts';
import { type TimedBody, timeout } from './timeout.ts';

/** How it went: the value, or that the time was over first. */
export type MovedOn<T> = { readonly timedOut: false; readonly value: T } | { readonly timedOut: true };

/**
 * As `timeout`, but time being over is an answer and not an error.
 *
 * Difference to Python: asyncio has no such verb; it is trio's `move_on_after`.
 *
 * @throws TypeError or RangeError when the delay is no number of milliseconds.
 */
export function moveOnAfter<T>(
  delayMs: number | undefined,
  body: TimedBody<T>,
  options: WaitOptions = {},
): Promise<MovedOn<T>> {
  return watched(movedOn(delayMs, body, options));
}

async function movedOn<T>(delayMs: number | undefined, body: TimedBody<T>, options: WaitOptions): Promise<MovedOn<T>> {
  let scope: TimeoutScope | undefined;
  const noteScope: TimedBody<T> = (entered) => {
    scope = entered;
    return body(entered);
  };
  try {
    return { timedOut: false, value: await timeout(delayMs, noteScope, options) };
  } catch (error) {
    if (scope?.error !== undefined && error === scope.error) return { timedOut: true };
    throw error;
  }
}
