import type { Clock } from '../../src/ports.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that a test moves: its timers run in order, and between two of them everything that can run does. */
export class TestClock implements Clock {
  #now: number;
  #timers: Timer[] = [];
  #order = 0;

  constructor(now = Date.parse('2026-11-23T00:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const delay = Number.isFinite(delayMs) ? Math.max(0, delayMs) : 0;
    const timer: Timer = { at: this.#now + delay, order: this.#order++, callback };
    const behind = (other: Timer): boolean => other.at > timer.at;
    const place = this.#timers.findIndex(behind);
    this.#timers.splice(place === -1 ? this.#timers.length : place, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at !== -1) this.#timers.splice(at, 1);
    };
  }

  /** Timers that have not run and were not taken back. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Resolves after `delayMs` of this clock. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Lets every promise settle that waits for no timer; those of src/aio take some turns of the host's loop. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurns; turn++) {
      // What waits for a hash has all its turns after it, however long the hash takes: else a timer would overtake it.
      if (hashes > 0) turn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Moves time on, and runs the timers that become due on the way. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    await this.settle();
    while ((this.#timers[0]?.at ?? Number.POSITIVE_INFINITY) <= until) {
      this.#fire();
      await this.settle();
    }
    this.#now = until;
  }

  /**
   * Moves time on from timer to timer until the work has settled, and answers as it does.
   *
   * @throws Error when it has not settled within `limitMs` of this clock, or nothing can move it any more.
   */
  async run<Value>(work: Promise<Value>, limitMs = 24 * 3_600_000): Promise<Value> {
    const until = this.#now + limitMs;
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    work.then(mark, mark);
    let idleTurns = 0;
    while (true) {
      await this.settle();
      if (isSettled) return work;
      const [next] = this.#timers;
      if (next !== undefined && next.at <= until) {
        idleTurns = 0;
        this.#fire();
      } else if (next !== undefined || ++idleTurns > maxIdleTurns) {
        throw new Error(`expected the work to end within ${limitMs} ms of the test's clock`);
      }
    }
  }

  #fire(): void {
    const timer = this.#timers.shift();
    if (timer === undefined) return;
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
  }
}

const settleTurns = 4;

/** More turns than any work takes that waits for neither a timer nor a hash. */
const maxIdleTurns = 100;

/** Hashes under way; they are made on the process's own threads, in the time of the real clock. */
let hashes = 0;

const digest = crypto.subtle.digest.bind(crypto.subtle);
crypto.subtle.digest = async (...given) => {
  hashes++;
  try {
    return await digest(...given);
  } finally {
    hashes--;
  }
};
