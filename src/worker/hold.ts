import type { Answered } from './recent-calls.ts';

/** A job holds only when so many answers came in a second, and this part of them were refusals. */
const leastAnswers = 20;
const refusedPart = 0.5;
/** A shorter rest is the item's own. */
const leastMs = 2_000;
/** A rest that ends so much later than the one that holds is the same one. */
const sameMs = 1_000;

/** A time in which nothing of a job starts in a worker, since the downstream asked for it. */
export class Hold {
  #until = 0;
  #isUntold = false;

  leftMs(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** The downstream asked a call for a rest, in a second of such answers; whether it holds from now on. */
  asked(now: number, { answers, refused }: Answered, ms: number | undefined): boolean {
    const isRefusedAsAWhole = answers >= leastAnswers && refused >= refusedPart * answers;
    if (!isRefusedAsAWhole || ms === undefined || ms < leastMs || this.#until > now) return false;
    this.#until = now + ms;
    this.#isUntold = true;
    return true;
  }

  /** Another worker was asked; whether it holds for longer from now on. */
  joined(now: number, ms: number): boolean {
    if (ms <= 0 || this.leftMs(now) >= ms - sameMs) return false;
    this.#until = now + ms;
    return true;
  }

  /** Milliseconds that are left of a hold that began here, and of which others do not know. */
  untoldMs(now: number): number {
    return this.#isUntold ? this.leftMs(now) : 0;
  }

  told(): void {
    this.#isUntold = false;
  }
}
