import type { Awaitable } from './ensure-future.ts';
import { expectCount } from './loop/numbers.ts';
import { Semaphore } from './semaphore.ts';

/** Wraps the async functions among `awaitables` so that at most `concurrency` of them run at a time, in their order. */
export function limited(
  awaitables: readonly Awaitable<unknown>[],
  concurrency?: number,
): readonly Awaitable<unknown>[] {
  if (concurrency === undefined) return awaitables;
  expectCount(concurrency, 'the concurrency', 1);
  const places = new Semaphore(concurrency);
  return awaitables.map((awaitable): Awaitable<unknown> => {
    if (typeof awaitable !== 'function') return awaitable;
    return async (task) => {
      using _place = await places.hold();
      return await awaitable(task);
    };
  });
}
