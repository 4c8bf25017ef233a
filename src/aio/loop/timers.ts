import type { Clock } from './clock.ts';
import { Scheduled } from './handle.ts';
import { Heap } from './heap.ts';

/** asyncio drops cancelled timers early when there are more than this many, and more than half of them are cancelled. */
const manyTimers = 100;

/** The timers of a loop, of which only the earliest is known to the clock. */
export class Timers {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #heap = new Heap<Timer>((a, b) => a.whenMs < b.whenMs);
  #cancelled = 0;
  #disarm: (() => void) | undefined;
  #armedMs: number | undefined;

  /** @param wake called when the earliest timer is due, if it was armed. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  add(whenMs: number, callback: () => void): Scheduled {
    const onCancel = () => {
      this.#cancelled += 1;
      // With none left to wait for, the clock must not hold the process open.
      if (this.#cancelled === this.#heap.size) this.unarm();
    };
    const timer = new Timer(callback, whenMs, onCancel);
    this.#heap.push(timer);
    return timer;
  }

  /** Takes those out whose time has come, earliest first. */
  takeDue(): Scheduled[] {
    this.#dropCancelled();
    const nowMs = this.#clock.now();
    const due: Scheduled[] = [];
    for (let timer = this.#heap.peek(); timer !== undefined && timer.whenMs <= nowMs; timer = this.#heap.peek()) {
      this.#heap.pop();
      timer.taken = true;
      if (timer.cancelled) this.#cancelled -= 1;
      else due.push(timer);
    }
    return due;
  }

  /** Asks the clock to wake the loop when the earliest is due. */
  arm(): void {
    this.#dropCancelled();
    const whenMs = this.#heap.peek()?.whenMs;
    if (whenMs === undefined || whenMs === this.#armedMs) return;
    this.unarm();
    this.#armedMs = whenMs;
    this.#disarm = this.#clock.schedule(whenMs, this.#wake);
  }

  /** Takes that back. */
  unarm(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedMs = undefined;
  }

  #dropCancelled(): void {
    if (this.#heap.size > manyTimers && this.#cancelled * 2 > this.#heap.size) {
      this.#heap.keep((timer) => !timer.cancelled);
      this.#cancelled = 0;
    }
    while (this.#heap.peek()?.cancelled) {
      this.#heap.pop();
      this.#cancelled -= 1;
    }
  }
}

class Timer extends Scheduled {
  readonly whenMs: number;
  readonly #onCancel: () => void;
  /** It has left the heap. */
  taken = false;

  constructor(callback: () => void, whenMs: number, onCancel: () => void) {
    super(callback);
    this.whenMs = whenMs;
    this.#onCancel = onCancel;
  }

  override cancel(): void {
    if (!this.cancelled && !this.taken) this.#onCancel();
    super.cancel();
  }
}
