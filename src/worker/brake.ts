/** Seconds of answers that are remembered. */
const windowMs = 1_000;
/** After a refusal the pace is this part of what succeeded in the last second. */
const cutTo = 0.95;
/** Without a refusal for this long the pace grows. */
const calmMs = 2_000;
/** A downstream that refuses half of so many answers within so short a time has not been cut to what it takes. */
const recutMs = 250;
const recutAnswers = 20;
/** Growth a second, of the pace and at least of one call. */
const growth = 1.03;
/** The same below what succeeded when it was cut, where nothing new is tried. */
const recovery = 1.5;
const growthFloor = 0.1;
/** The slowest pace: a downstream that recovers has to be noticed. */
const floorPerSecond = 1;
/** A job holds only when so many answers came in a second, and this part of them were refusals. */
const holdAnswers = 20;
const holdPart = 0.5;
const holdFromMs = 2_000;

interface Answer {
  readonly at: number;
  readonly refused: boolean;
}

/**
 * Slows down when the downstream refuses, and comes back: additive increase, multiplicative decrease of the pace of starts.
 * A refusal cuts the pace to what succeeded in the last second, once a second; sooner where half is refused still. After calm it is soon
 * where it had been cut to, and from there grows by 3 % a second until it no longer binds.
 */
export class Brake {
  /** Starts a second; infinite while nothing is refused. */
  #perSecond = Number.POSITIVE_INFINITY;
  #answers: Answer[] = [];
  #cutAt = Number.NEGATIVE_INFINITY;
  /** Starts a second that went well when it was cut. */
  #known = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #grownAt = 0;
  #holdUntil = 0;

  /** Starts a second that the downstream seems to take. */
  perSecond(now: number): number {
    this.#grow(now);
    return this.#perSecond;
  }

  /** Milliseconds until anything may start again. */
  holdMs(now: number): number {
    return Math.max(0, this.#holdUntil - now);
  }

  succeeded(now: number): void {
    this.#remember({ at: now, refused: false });
  }

  refused(now: number, retryAfterMs: number | undefined): void {
    this.#remember({ at: now, refused: true });
    this.#refusedAt = now;
    const { answers, refused } = this.#since(now - windowMs);
    const isRefusedAsAWhole = answers >= holdAnswers && refused >= holdPart * answers;
    const succeeded = answers - refused;
    if (now - this.#cutAt >= windowMs) {
      this.#known = succeeded;
      this.#cut(now, succeeded);
    } else if (now - this.#cutAt >= recutMs) {
      const late = this.#since(now - recutMs);
      // A limit that counts by the second refuses all of its end, so that a shorter time says too little to go further down.
      if (late.answers >= recutAnswers && late.refused >= late.answers / 2) this.#cut(now, this.#perSecond / 2);
    }
    // Where nothing went well, half of what was tried may.
    if (succeeded === 0) this.#known = Math.max(this.#known, answers / 2);
    if (isRefusedAsAWhole && retryAfterMs !== undefined && retryAfterMs >= holdFromMs && this.#holdUntil <= now) {
      this.#holdUntil = now + retryAfterMs;
      this.#perSecond = Math.max(floorPerSecond, this.#perSecond / 2);
    }
  }

  /** Part of `share` starts a second that the brake lets through, 0 to 1. */
  factor(now: number, share: number): number {
    const pace = this.perSecond(now);
    return pace >= share || share === Number.POSITIVE_INFINITY ? 1 : pace / share;
  }

  #cut(now: number, succeededPerSecond: number): void {
    this.#cutAt = now;
    this.#grownAt = now;
    this.#perSecond = Math.max(floorPerSecond, cutTo * Math.min(this.#perSecond, succeededPerSecond));
  }

  #since(from: number): { readonly answers: number; readonly refused: number } {
    let answers = 0;
    let refused = 0;
    for (const answer of this.#answers) {
      if (answer.at <= from) continue;
      answers++;
      if (answer.refused) refused++;
    }
    return { answers, refused };
  }

  #remember(answer: Answer): void {
    this.#answers.push(answer);
    const from = answer.at - windowMs;
    const first = this.#answers.findIndex(({ at }) => at > from);
    if (first > 0) this.#answers.splice(0, first);
  }

  #grow(now: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    const from = Math.max(this.#grownAt, this.#refusedAt + calmMs);
    if (now <= from) return;
    const seconds = (now - from) / 1_000;
    const recovered = Math.min(cutTo * this.#known, this.#perSecond * recovery ** seconds);
    this.#perSecond = Math.max(recovered, this.#perSecond * growth ** seconds + growthFloor * seconds);
    this.#grownAt = now;
    const started = this.#answers.filter(({ at }) => at > now - windowMs).length;
    // A pace far above what is asked for brakes nothing.
    if (this.#perSecond > 1_000_000 || (this.#perSecond > 4 * Math.max(started, 25) && now - this.#refusedAt > 60_000))
      this.#perSecond = Number.POSITIVE_INFINITY;
  }
}
