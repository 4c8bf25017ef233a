import { Queue, type QueueItems } from './queue.ts';

/** A queue whose newest item leaves first. */
export class LifoQueue<T> extends Queue<T> {
  /** @param maxsize how many items fit; zero or less means any number. @default 0 */
  constructor(maxsize = 0) {
    super(maxsize, new LifoItems<T>());
  }
}

class LifoItems<T> implements QueueItems<T> {
  readonly #entries: T[] = [];

  get size(): number {
    return this.#entries.length;
  }

  push(item: T): void {
    this.#entries.push(item);
  }

  pop(): T {
    // The queue pops only what it has, so there is a T.
    return this.#entries.pop() as T;
  }
}
