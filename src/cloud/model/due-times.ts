import { Heap } from '../../aio/loop/heap.ts';
import type { Clock } from '../../ports.ts';

/** Calls back at instants, by one timer of the clock however many instants there are. */
export class DueTimes {
  readonly #clock: Clock;
  readonly #due = new Heap<{ readonly at: number; readonly act: () => void }>((a, b) => a.at < b.at);
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once `at` (milliseconds since the epoch) has come. */
  add(at: number, act: () => void): void {
    this.#due.push({ at, act });
    this.#arm();
  }

  /** Calls back whatever is due now: who asks must not see less because a timer is late. */
  settle(): void {
    const now = this.#clock.now();
    for (let next = this.#due.peek(); next !== undefined && next.at <= now; next = this.#due.peek()) {
      this.#due.pop();
      next.act();
    }
    this.#arm();
  }

  /** Forgets its timer; nothing is called back any more. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #arm(): void {
    const next = this.#due.peek()?.at ?? Number.POSITIVE_INFINITY;
    if (this.#closed || next >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = next;
    this.#cancel = this.#clock.after(Math.max(0, next - this.#clock.now()), () => {
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.settle();
    });
  }
}
