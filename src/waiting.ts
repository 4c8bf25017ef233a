import type { Clock } from './ports.ts';

/** Waits, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Pick<Clock, 'after'>, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', aborted);
      resolve();
    });
    signal.addEventListener('abort', aborted, { once: true });
  });
}

/** Settles as `work` does, or rejects with the signal's reason when that comes first; `work` itself goes on. */
export function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** Passes values on, and ends and closes the source as soon as the signal aborts: the next one may never come. @throws the signal's reason */
export async function* untilAborted<Value>(values: AsyncIterable<Value>, signal: AbortSignal): AsyncGenerator<Value> {
  const source = values[Symbol.asyncIterator]();
  const next = () => orAborted(source.next(), signal);
  try {
    for (let value = await next(); value.done !== true; value = await next()) yield value.value;
  } finally {
    // A source that ended makes nothing of it; one that never ends must not keep anybody waiting.
    void Promise.resolve(source.return?.()).catch(() => {});
  }
}

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when the signal aborts, at once where it has; the answer takes it back. All callbacks of a signal share one
 * listener, since a chunk has a thousand items, and a signal looks through its listeners at each change of them.
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  const known = waiting.get(signal);
  const callbacks = known ?? new Set();
  if (known === undefined) {
    waiting.set(signal, callbacks);
    signal.addEventListener('abort', () => callAll(callbacks), { once: true });
  }
  callbacks.add(callback);
  return () => void callbacks.delete(callback);
}

function callAll(callbacks: Set<() => void>): void {
  for (const callback of callbacks) callback();
  callbacks.clear();
}
