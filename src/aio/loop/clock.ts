/** The time and the host's two ways to call back later; injected so that a program runs on real or on virtual time. */
export interface Clock {
  /** Milliseconds on a scale of the clock's own that never goes back. */
  now(): number;
  /**
   * Calls back once when `now()` has reached `whenMs`; a little too early is allowed, the loop asks again.
   *
   * @returns a function that takes the call back.
   */
  schedule(whenMs: number, callback: () => void): () => void;
  /** Calls back once after all microtasks have run and the host has looked at its input and output. */
  defer(callback: () => void): void;
}

/** Node refuses a longer delay and takes 1 ms instead. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestDelayMs = 2_147_483_647;

/** The clock of the machine: the default of every parameter that takes one, and the only place here that names host timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(whenMs, callback) {
    const delayMs = Math.min(Math.max(1, Math.ceil(whenMs - performance.now())), longestDelayMs);
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  defer(callback) {
    setImmediate(callback);
  },
};
