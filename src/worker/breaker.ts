/** Outcomes that are judged together, and how many there must be before they are. */
const windowItems = 100;
const minItems = 50;

/** Watches a job's last outcomes in one worker: most of them failing says that the downstream, or the task, is broken. */
export class Breaker {
  /** Percentage of failures at which it trips. */
  readonly #threshold: number;
  /** A ring of the last outcomes: whether each failed. */
  readonly #failed = new Array<boolean>(windowItems).fill(false);
  #seen = 0;
  #failures = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Counts an item's outcome, not its attempts: what a retry mends is no failure. */
  count(failed: boolean): void {
    const at = this.#seen % windowItems;
    if (this.#failed[at] === true) this.#failures--;
    this.#failed[at] = failed;
    if (failed) this.#failures++;
    this.#seen++;
  }

  /** Percentage of failures among the last outcomes. */
  get percentage(): number {
    const items = Math.min(this.#seen, windowItems);
    return items === 0 ? 0 : (100 * this.#failures) / items;
  }

  get isTripped(): boolean {
    return this.#seen >= minItems && this.percentage >= this.#threshold;
  }
}
