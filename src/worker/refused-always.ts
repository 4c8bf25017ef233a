import { isQuiet, isQuietForSome } from './tries.ts';

/** What is taken for refused whatever the pace is, before anything is known, and at most. */
const atFirst = 0.015;
const atMost = 0.05;
/** Chance refuses more than the mean: so many times its deviation. */
const deviations = 1.5;
/** So many answers of a quiet time replace what was known before. */
const enough = 1_000;
const some = 100;

/**
 * Which part of the calls an API refuses whatever the pace is. It shows at times at which all workers go no faster than what was taken
 * when they were cut: who is refused then is not refused for its pace.
 */
export class RefusedAlways {
  #part = atFirst;
  #isLearned = false;
  #answers = 0;
  #refused = 0;

  /** How many of so many calls may be refused so. */
  most(calls: number): number {
    return mostOf(this.#part, calls);
  }

  /** The same where nothing is taken for granted before it was learned. */
  mostLearned(calls: number): number {
    return mostOf(this.#isLearned ? this.#part : 0, calls);
  }

  /** Counts an answer; `isSlow` is a pace that has been taken. */
  answered(now: number, refused: 0 | 1, isSlow: boolean): void {
    if (isSlow && isQuietForSome(now)) {
      this.#answers++;
      this.#refused += refused;
    } else if (this.#answers > 0 && !isQuiet(now)) this.#learn();
  }

  /** The pace has changed: what was counted of this quiet time counts no more. */
  restart(): void {
    this.#answers = 0;
    this.#refused = 0;
  }

  #learn(): void {
    const part = this.#refused / this.#answers;
    this.#part = Math.min(atMost, this.#part + (part - this.#part) * Math.min(1, this.#answers / enough));
    if (this.#answers > some) this.#isLearned = true;
    this.restart();
  }
}

const mostOf = (part: number, calls: number): number => part * calls + deviations * Math.sqrt(part * calls);
