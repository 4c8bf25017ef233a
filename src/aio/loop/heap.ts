/** A binary heap: the item that comes before all others is on top; items that tie leave in the order they came. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  #entries: { readonly item: T; readonly order: number }[] = [];
  #pushed = 0;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#entries.length;
  }

  peek(): T | undefined {
    return this.#entries[0]?.item;
  }

  push(item: T): void {
    const entry = { item, order: this.#pushed };
    this.#pushed += 1;
    let at = this.#entries.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#comesBefore(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): T | undefined {
    const top = this.#entries[0];
    const last = this.#entries.pop();
    if (top === undefined || last === undefined || this.#entries.length === 0) return top?.item;
    this.#entries[0] = last;
    for (let at = 0; ; ) {
      let first = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < this.#entries.length && this.#comesBefore(below, first)) first = below;
      }
      if (first === at) return top.item;
      this.#swap(at, first);
      at = first;
    }
  }

  /** Drops the items that are not wanted any more. */
  keep(wanted: (item: T) => boolean): void {
    // A sorted array is a heap, and sorting keeps the order of those that tie.
    this.#entries = this.#entries
      .filter(({ item }) => wanted(item))
      .sort((a, b) => (this.#before(a.item, b.item) ? -1 : this.#before(b.item, a.item) ? 1 : a.order - b.order));
  }

  #comesBefore(a: number, b: number): boolean {
    const [first, second] = [this.#entries[a], this.#entries[b]];
    if (first === undefined || second === undefined) return false;
    if (this.#before(first.item, second.item)) return true;
    return first.order < second.order && !this.#before(second.item, first.item);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#entries[a], this.#entries[b]];
    if (first === undefined || second === undefined) return;
    this.#entries[a] = second;
    this.#entries[b] = first;
  }
}
