import { Heap } from './loop/heap.ts';
import { Queue, type QueueItems } from './queue.ts';

/**
 * A queue whose smallest item leaves first; items that tie leave in the order they came.
 *
 * Difference to Python: how items compare is a parameter, since JavaScript does not compare tuples.
 */
export class PriorityQueue<T> extends Queue<T> {
  /**
   * @param maxsize how many items fit; zero or less means any number. @default 0
   * @param before whether `a` leaves before `b`. @default (a, b) => a < b
   */
  constructor(maxsize = 0, before: (a: T, b: T) => boolean = (a, b) => a < b) {
    super(maxsize, new HeapItems<T>(before));
  }
}

class HeapItems<T> implements QueueItems<T> {
  readonly #heap: Heap<T>;

  constructor(before: (a: T, b: T) => boolean) {
    this.#heap = new Heap(before);
  }

  get size(): number {
    return this.#heap.size;
  }

  push(item: T): void {
    this.#heap.push(item);
  }

  pop(): T {
    // The queue pops only what it has, so there is a T.
    return this.#heap.pop() as T;
  }
}
