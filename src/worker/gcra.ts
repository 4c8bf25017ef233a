/**
 * A pace by the generic cell rate algorithm: one number of state, no windows at whose borders twice the rate comes through.
 * In any time `w` it lets at most `rate · (w + burst) + 1` starts pass.
 */
export class Gcra {
  readonly #burstMs: number;
  #perMs: number;
  /** When the next start is due, in milliseconds since the epoch. */
  #due: number;

  constructor(start: { readonly now: number; readonly perSecond: number; readonly burstMs: number }) {
    this.#burstMs = start.burstMs;
    this.#perMs = start.perSecond / 1_000;
    this.#due = start.now;
  }

  /** Starts nothing for another `debtMs`. */
  owe(now: number, debtMs: number): void {
    this.#due = Math.max(this.#due, now + debtMs);
  }

  /** Changes the pace from now on. */
  set perSecond(perSecond: number) {
    this.#perMs = perSecond / 1_000;
  }

  /** Milliseconds until the next start may happen; 0 now, infinite where the pace is none. */
  waitMs(now: number): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return 0;
    if (this.#perMs <= 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#due - this.#burstMs - now);
  }

  /** Counts a start of `cost`. */
  take(now: number, cost = 1): void {
    if (this.#perMs === Number.POSITIVE_INFINITY || this.#perMs <= 0) return;
    this.#due = Math.max(this.#due, now) + cost / this.#perMs;
  }

  /** Corrects what a start was thought to cost; of what was charged too much, at most `creditMs` is given back. */
  correct(now: number, difference: number, creditMs: number): void {
    if (this.#perMs === Number.POSITIVE_INFINITY || this.#perMs <= 0) return;
    this.#due = Math.max(this.#due + difference / this.#perMs, now - creditMs);
  }

  /** How far the starts are ahead of their time. */
  debtMs(now: number): number {
    return Math.max(0, this.#due - now);
  }
}
