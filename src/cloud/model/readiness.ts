/** Knows when a queue may have a visible message, so that nobody has to ask in a loop. */
export class Readiness {
  readonly #waiters = new Set<() => void>();
  #arrivals = 0;
  #seen = 0;

  /** A message became visible. */
  arrived(): void {
    this.#arrivals++;
    for (const wake of [...this.#waiters]) wake();
    this.#waiters.clear();
  }

  /** What a receive notes before it looks; see {@link emptied}. */
  mark(): number {
    return this.#arrivals;
  }

  /** A receive that noted `mark` got less than it asked for: nothing else was visible. What arrived since the mark still counts. */
  emptied(mark: number): void {
    this.#seen = Math.max(this.#seen, mark);
  }

  /** Resolves when a message may be visible, at once where one may be now. @throws the signal's reason when that aborts first */
  async whenReady(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#arrivals > this.#seen) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      this.#waiters.delete(resolve);
      reject(signal.reason);
    };
    this.#waiters.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
