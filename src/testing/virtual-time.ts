import { Heap } from '../aio/loop/heap.ts';
import type { Clock } from '../ports.ts';
import { HostTime } from './host-time.ts';

interface Timer {
  readonly at: number;
  callback: (() => void) | undefined;
}

/** Turns of the host's loop in which everything that waits for no timer has run; `aio` takes some of them. */
const settleTurns = 4;

/** A clock that jumps from timer to timer as soon as nothing else can run: an hour of waiting takes no time. */
export class VirtualTime implements Clock {
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at);
  readonly #host = new HostTime(this);
  #now: number;

  /** @param startAt milliseconds since the epoch */
  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = {
      at: this.#now + (delayMs > 0 && delayMs < Number.POSITIVE_INFINITY ? delayMs : 0),
      callback,
    };
    this.#timers.push(timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** Resolves after `delayMs` of this clock. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /**
   * Runs `work` with the timers of the whole process on this clock (`setTimeout`, `Date.now`, `performance.now`, `AbortSignal.timeout`),
   * and moves time on until the work has settled.
   *
   * @throws Error when it has not settled within `limitMs`, or waits for what no timer brings
   */
  async run<Value>(work: () => Promise<Value>, limitMs: number): Promise<Value> {
    const until = this.#now + limitMs;
    const release = this.#host.install();
    try {
      let isSettled = false;
      const mark = (): void => {
        isSettled = true;
      };
      const running = work();
      running.then(mark, mark);
      while (true) {
        await this.#settle();
        if (isSettled) return await running;
        if (!this.#fireNext(until)) {
          throw new Error(
            `expected the work to end within ${limitMs} ms of virtual time, got no end; it waits for a timer that is later, or for what no timer brings`,
          );
        }
      }
    } finally {
      release();
    }
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < settleTurns; turn++) {
      // A hash is made on the process's own threads: whoever waits for it has all its turns after it.
      if (this.#host.isHashing) turn = 0;
      await this.#host.turn();
    }
  }

  #fireNext(until: number): boolean {
    for (let next = this.#timers.peek(); next !== undefined; next = this.#timers.peek()) {
      if (next.at > until) return false;
      this.#timers.pop();
      if (next.callback === undefined) continue;
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      return true;
    }
    return false;
  }
}
