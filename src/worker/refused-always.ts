import type { Calls } from './recent-calls.ts';
import { isQuiet, isQuietForSome } from './tries.ts';

/** What is taken for refused whatever the pace is, before anything is known, and at most. */
const atFirst = 0.015;
const atMost = 0.2;
/** Chance refuses more than the mean: so many times its deviation. */
const deviations = 1.5;
/** So many answers of a quiet time replace what was known before, and so many of any time are a bound. */
const enough = 1_000;
const some = 100;

/**
 * Which part of the calls an API refuses whatever the pace is. It shows at times at which all workers go no faster than what was taken
 * when they were cut: who is refused then is not refused for its pace. It shows sooner by cuts that are in vain. It is never more than
 * what is refused at any pace, so that what has been learned is forgotten when less is.
 */
export class RefusedAlways {
  #part = atFirst;
  #isLearned = false;
  #quiet = none;
  #lately = none;

  /** The part, as far as it was learned. */
  get learned(): number {
    return this.#isLearned ? this.#part : 0;
  }

  /** How many of so many calls may be refused so. */
  most(calls: number): number {
    return mostOf(this.#part, calls);
  }

  /** The same where nothing is taken for granted before it was learned. */
  mostLearned(calls: number): number {
    return mostOf(this.learned, calls);
  }

  /** Counts an answer; `isSlow` is a pace that has been taken. */
  answered(now: number, refused: 0 | 1, isSlow: boolean): void {
    this.#lately = plus(this.#lately, refused);
    if (this.#lately.calls >= enough) {
      this.atMost(this.#lately);
      this.#lately = none;
    }
    if (isSlow && isQuietForSome(now)) this.#quiet = plus(this.#quiet, refused);
    else if (this.#quiet.calls > 0 && !isQuiet(now)) this.#learn();
  }

  /** The pace has changed: what was counted of this quiet time counts no more. */
  restart(): void {
    this.#quiet = none;
  }

  /** So many were refused at a slower pace as well: as far as chance goes, it is so many, or more. */
  atLeast(calls: Calls): void {
    this.#part = Math.min(atMost, Math.max(this.#part, mostOf(calls.refused / calls.calls, calls.calls) / calls.calls));
    this.#isLearned = true;
    this.#lately = none;
    this.restart();
  }

  /** No more than these were refused. */
  atMost(calls: Calls): void {
    if (this.#isLearned) this.#part = Math.min(this.#part, mostPart(calls));
  }

  #learn(): void {
    const { calls, refused } = this.#quiet;
    this.#part = Math.min(atMost, this.#part + (refused / calls - this.#part) * Math.min(1, calls / enough));
    if (calls > some) this.#isLearned = true;
    this.restart();
  }
}

const none: Calls = { calls: 0, refused: 0 };
const plus = ({ calls, refused }: Calls, one: 0 | 1): Calls => ({ calls: calls + 1, refused: refused + one });
const mostOf = (part: number, calls: number): number => part * calls + deviations * Math.sqrt(part * calls);
/** The largest part that would let no more than these be refused, as far as chance goes. */
const mostPart = ({ calls, refused }: Calls): number =>
  (refused + deviations * Math.sqrt(refused) + deviations ** 2) / calls;
