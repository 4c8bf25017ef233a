import type { Clock, ObjectStore } from '../ports.ts';

/** A read that takes longer than this is late: of a hundred that S3 answers hardly one is. */
export const lateMs = 400;
/** So many late reads may be asked once more, and one more for each so many reads: where S3 refuses or is slow for all, more load mends nothing. */
const burst = 20;
const readsPerHedge = 20;

/**
 * A store that asks once more, beside it, for a record that is late: S3 is slow for some requests at a time, and calls wait for what is
 * read. LISTs and rows are asked for once.
 */
export function hedgedReads(store: ObjectStore, clock: Clock): ObjectStore {
  let left = burst;
  const hedged = <Value>(read: () => Promise<Value>): Promise<Value> => {
    left = Math.min(burst, left + 1 / readsPerHedge);
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    let cancel = (): void => undefined;
    const again = (): void => {
      if (left < 1) return;
      left--;
      read().then(resolve, () => undefined);
    };
    // A loop that was blocked hears its timers before the answers that have come: these are heard first.
    cancel = clock.after(lateMs, () => {
      cancel = clock.after(0, again);
    });
    read().then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
    return promise;
  };
  return {
    get: (key) => (key.endsWith('.json') ? hedged(() => store.get(key)) : store.get(key)),
    head: (key) => hedged(() => store.head(key)),
    list: (prefix, options) => store.list(prefix, options),
    put: (key, body, options) => store.put(key, body, options),
    delete: (key) => store.delete(key),
  };
}
