import { Event } from './event.ts';
import { QueueEmpty, QueueFull, QueueShutDown } from './loop/errors.ts';
import { expectCount } from './loop/numbers.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { WaitLine } from './loop/wait-line.ts';
import { watched } from './loop/watched.ts';

/** What holds the items and decides which leaves next. */
export interface QueueItems<T> {
  readonly size: number;
  push(item: T): void;
  /** Called only when `size` is above 0. */
  pop(): T;
}

/**
 * Hands items from producers to consumers, first in, first out.
 *
 * With `maxsize`, `put` waits for a free place. Taking what is there and putting where there is a place does not wait and is
 * no cancellation point. Differences to Python: `for await (const item of queue)` takes items until it is shut down; an item
 * that is a promise or task is awaited by `get`, as async functions do; other orders are made of `QueueItems`.
 */
export class Queue<T> implements AsyncIterable<T> {
  readonly maxsize: number;
  readonly #items: QueueItems<T>;
  readonly #getters = new WaitLine();
  readonly #putters = new WaitLine();
  readonly #finished = new Event();
  #unfinished = 0;
  #isShutdown = false;

  /** @param maxsize how many items fit; zero or less means any number. @default 0 */
  constructor(maxsize = 0, items: QueueItems<T> = new FifoItems<T>()) {
    expectCount(maxsize, 'maxsize', Number.NEGATIVE_INFINITY);
    this.maxsize = maxsize;
    this.#items = items;
    this.#finished.set();
  }

  /** How many items it holds. */
  qsize(): number {
    return this.#items.size;
  }

  empty(): boolean {
    return this.#items.size === 0;
  }

  full(): boolean {
    return this.maxsize > 0 && this.#items.size >= this.maxsize;
  }

  /** How many wait to get, and to put. */
  get waiting(): { readonly getters: number; readonly putters: number } {
    return { getters: this.#getters.size, putters: this.#putters.size };
  }

  /** Puts an item, waiting for a place. @throws QueueShutDown */
  put(item: T, options: WaitOptions = {}): Promise<void> {
    return watched(this.#put(item, options));
  }

  async #put(item: T, options: WaitOptions): Promise<void> {
    while (this.full()) {
      if (this.#isShutdown) throw new QueueShutDown('the queue was shut down');
      await turn(this.#putters, () => !this.full(), options);
    }
    this.putNowait(item);
  }

  /** Puts an item. @throws QueueFull when there is no place, QueueShutDown */
  putNowait(item: T): void {
    if (this.#isShutdown) throw new QueueShutDown('the queue was shut down');
    if (this.full()) throw new QueueFull(`the queue is full: it holds ${this.maxsize} items`);
    this.#items.push(item);
    this.#unfinished += 1;
    this.#finished.clear();
    wakeNext(this.#getters);
  }

  /** Takes an item, waiting for one. @throws QueueShutDown when it was shut down and is empty. */
  get(options: WaitOptions = {}): Promise<T> {
    return watched(this.#get(options));
  }

  async #get(options: WaitOptions): Promise<T> {
    while (this.empty()) {
      if (this.#isShutdown) throw new QueueShutDown('the queue was shut down');
      await turn(this.#getters, () => !this.empty(), options);
    }
    return this.getNowait();
  }

  /** Takes an item. @throws QueueEmpty when there is none, QueueShutDown when there will be none. */
  getNowait(): T {
    if (this.empty()) {
      throw this.#isShutdown ? new QueueShutDown('the queue was shut down') : new QueueEmpty('the queue is empty');
    }
    const item = this.#items.pop();
    wakeNext(this.#putters);
    return item;
  }

  /** Says that an item taken earlier has been worked on. @throws RangeError when called more often than items were put. */
  taskDone(): void {
    if (this.#unfinished <= 0) throw new RangeError('taskDone() was called more often than items were put');
    this.#unfinished -= 1;
    if (this.#unfinished === 0) this.#finished.set();
  }

  /** Waits until every item has been taken and `taskDone` was called for it. */
  join(options: WaitOptions = {}): Promise<void> {
    return this.#unfinished > 0 ? this.#finished.wait(options) : Promise.resolve();
  }

  /** Refuses further items; with `immediate` the items it holds are dropped and count as done. */
  shutdown({ immediate = false }: { readonly immediate?: boolean } = {}): void {
    this.#isShutdown = true;
    while (immediate && !this.empty()) {
      this.#items.pop();
      if (this.#unfinished > 0) this.#unfinished -= 1;
    }
    if (immediate && this.#unfinished === 0) this.#finished.set();
    wakeAll(this.#getters);
    wakeAll(this.#putters);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      for (;;) yield await this.#get({});
    } catch (error) {
      if (!(error instanceof QueueShutDown)) throw error;
    }
  }
}

/** Waits for one's turn; one who is woken and cannot go passes the turn on. */
async function turn(waiters: WaitLine, possible: () => boolean, options: WaitOptions): Promise<void> {
  const waiter = waiters.join();
  try {
    await park(waiter, options);
  } catch (error) {
    waiters.leave(waiter);
    if (possible() && !waiter.cancelled()) wakeNext(waiters);
    throw error;
  }
}

function wakeNext(waiters: WaitLine): void {
  for (const waiter of waiters) {
    waiters.leave(waiter);
    if (waiter.done()) continue;
    waiter.setResult();
    return;
  }
}

function wakeAll(waiters: WaitLine): void {
  for (const waiter of waiters) {
    waiters.leave(waiter);
    if (!waiter.done()) waiter.setResult();
  }
}

/** An array whose head moves; it is cut when more than half of it is gone, so that each item is moved once on average. */
class FifoItems<T> implements QueueItems<T> {
  #entries: T[] = [];
  #head = 0;

  get size(): number {
    return this.#entries.length - this.#head;
  }

  push(item: T): void {
    this.#entries.push(item);
  }

  pop(): T {
    // The queue pops only what it has, so the entry is a T.
    const item = this.#entries[this.#head] as T;
    this.#entries[this.#head] = undefined as T;
    this.#head += 1;
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
