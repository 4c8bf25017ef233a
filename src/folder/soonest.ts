import type { Clock } from '../ports.ts';

/** A request that takes longer than this is made once more beside it. */
const lateMs = 1_000;
/** Requests that are under way at once. */
const atOnce = 4;

/**
 * Asks until one of some requests answers: nothing may start without the answer, and S3 is slow for some requests at a time.
 *
 * @param ask gets when its request began, in milliseconds since the epoch
 * @throws what the last request failed with, when all that were made have failed
 */
export function soonest<Value>(clock: Clock, ask: (beganAt: number) => Promise<Value>): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  let cancel = (): void => undefined;
  let made = 0;
  let failed = 0;
  const make = (): void => {
    made++;
    cancel = made < atOnce ? clock.after(lateMs, make) : () => undefined;
    ask(clock.now()).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        failed++;
        if (failed < made) return;
        cancel();
        reject(error);
      },
    );
  };
  make();
  return promise;
}
