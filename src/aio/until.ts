import { adopt } from './ensure-future.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { watched } from './loop/watched.ts';

/**
 * Awaits a foreign promise as a cancellation point: cancellation ends the wait at once, and the promise goes on unheeded.
 *
 * Use it for what cannot be stopped; start what can be stopped with `withSignal`.
 */
export function until<T>(promise: PromiseLike<T>, options: WaitOptions = {}): Promise<T> {
  return watched(park(adopt(promise), options));
}
