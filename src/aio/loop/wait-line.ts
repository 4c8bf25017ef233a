import { Future } from './future.ts';

/** Somebody's place in a line. */
export class Waiter extends Future<void> {
  /** The line's own business. */
  link: { line: WaitLine; before: Waiter | undefined; after: Waiter | undefined } | undefined;
}

/**
 * Those who wait for a primitive, in the order they came.
 *
 * A list of links and not a Set, whose iterator walks over everything that was ever deleted at its head: with 100,000 waiting,
 * a semaphore that used one spent nearly all its time there.
 */
export class WaitLine implements Iterable<Waiter> {
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Waiter | undefined {
    return this.#first;
  }

  /** Adds one at the end. */
  join(): Waiter {
    const waiter = new Waiter();
    waiter.link = { line: this, before: this.#last, after: undefined };
    if (this.#last?.link !== undefined) this.#last.link.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    this.#size += 1;
    return waiter;
  }

  /** Takes one out, if it is still there. */
  leave(waiter: Waiter): void {
    const { link } = waiter;
    if (link?.line !== this) return;
    if (link.before?.link !== undefined) link.before.link.after = link.after;
    else this.#first = link.after;
    if (link.after?.link !== undefined) link.after.link.before = link.before;
    else this.#last = link.before;
    waiter.link = undefined;
    this.#size -= 1;
  }

  /** Whether anybody in it has not been cancelled. */
  someoneWaits(): boolean {
    for (const waiter of this) if (!waiter.cancelled()) return true;
    return false;
  }

  *[Symbol.iterator](): Generator<Waiter, void, void> {
    for (let waiter = this.#first; waiter !== undefined; ) {
      // It may leave while the caller looks at it.
      const after = waiter.link?.after;
      yield waiter;
      waiter = after;
    }
  }
}
