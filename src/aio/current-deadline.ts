import { frames } from './loop/frames.ts';

/**
 * The earliest deadline of the timeout scopes around the running code, also when it runs in a task created inside them, in
 * milliseconds on the loop's clock; Infinity when there is none.
 *
 * Difference to Python: asyncio has no such verb; it is trio's `current_effective_deadline`.
 */
export function currentDeadline(): number {
  let earliestMs = Number.POSITIVE_INFINITY;
  for (let scope = frames.getStore()?.scope; scope !== undefined; scope = scope.outer) {
    earliestMs = Math.min(earliestMs, scope.when() ?? Number.POSITIVE_INFINITY);
  }
  return earliestMs;
}
