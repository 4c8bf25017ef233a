/** Speed over the last minute, from samples of how many items are settled; times are milliseconds. */
export class Pace {
  readonly #windowMs: number;
  #samples: Array<{ readonly at: number; readonly items: number }> = [];

  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  add(at: number, items: number): void {
    this.#samples.push({ at, items });
    // One sample older than the window stays, so that the whole window is measured.
    while ((this.#samples[1]?.at ?? Number.POSITIVE_INFINITY) <= at - this.#windowMs) this.#samples.shift();
  }

  /** Items in a second; undefined until something has settled. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at === first.at || last.items <= first.items)
      return undefined;
    return ((last.items - first.items) * 1_000) / (last.at - first.at);
  }

  /** Milliseconds until `items` more are settled, if the pace stays. */
  timeFor(items: number): number | undefined {
    const { perSecond } = this;
    return perSecond === undefined ? undefined : (items / perSecond) * 1_000;
  }
}
