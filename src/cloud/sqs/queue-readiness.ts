/** Knows when a queue may have a visible message, so that nobody has to ask in a loop. */
export interface Readiness {
  /** A message became visible. */
  arrived(): void;
  /** A message becomes visible at this time (milliseconds since the epoch) unless something happens to it before. */
  expect(at: number): void;
  /** What a receive notes before it asks; see `emptied`. */
  mark(): number;
  /** A receive that noted `mark` got less than it asked for: nothing was visible then. Messages that arrived since the mark still count. */
  emptied(mark: number): void;
  /** Resolves when a message may be visible, at once where one may be now. Rejects with the signal's reason when that aborts first. */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Forgets its timer; waiters stay until their signals abort. */
  close(): void;
}

/** Makes the readiness of one empty queue. */
export function openReadiness(): Readiness {
  let arrivals = 0;
  let seen = 0;
  let due: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  const waiters = new Set<() => void>();

  const wake = (): void => {
    arrivals += 1;
    for (const resolve of waiters) resolve();
    waiters.clear();
    arm();
  };
  const arm = (): void => {
    clearTimeout(timer);
    armedFor = Number.POSITIVE_INFINITY;
    if (waiters.size === 0 || due.length === 0) return;
    const next = due.reduce((least, at) => Math.min(least, at));
    armedFor = next;
    timer = setTimeout(expire, Math.max(1, next - Date.now() + 1));
  };
  const expire = (): void => {
    const now = Date.now();
    const rest = due.filter((at) => at > now);
    const some = rest.length < due.length;
    due = rest;
    if (some) wake();
    else arm();
  };

  return {
    arrived: wake,
    expect(at) {
      due.push(at);
      // A queue that nobody waits for would keep every past instant otherwise.
      if (due.length % 1_024 === 0) expire();
      if (at < armedFor) arm();
    },
    mark: () => arrivals,
    emptied(mark) {
      seen = Math.max(seen, mark);
    },
    async whenReady(signal) {
      signal.throwIfAborted();
      const now = Date.now();
      if (due.some((at) => at <= now)) expire();
      if (arrivals > seen) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const abort = (): void => {
        waiters.delete(resolve);
        arm();
        reject(signal.reason);
      };
      waiters.add(resolve);
      signal.addEventListener('abort', abort, { once: true });
      arm();
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    close() {
      clearTimeout(timer);
    },
  };
}
