/** Calls of one time, and how many of them were refused. */
export interface Calls {
  readonly calls: number;
  readonly refused: number;
}

/** Answers of one time, and how many of them were refusals. */
export interface Answered {
  readonly answers: number;
  readonly refused: number;
}

const secondMs = 1_000;
/** Where a second has few answers, the last so many are kept, none older than that. */
const fewAnswers = 50;
const oldestMs = 5_000;

/** What came in one millisecond: one object a call, kept for a second, was what a fast worker's garbage collector copied most. */
interface Moment {
  readonly at: number;
  started: number;
  answers: number;
  refused: number;
}

/** The calls of a job's last second in one worker, and where they are few, those of the last seconds. */
export class RecentCalls {
  #moments: Moment[] = [];
  #answers = 0;

  started(at: number): void {
    this.#at(at).started++;
  }

  answered(at: number, refused: 0 | 1): void {
    const moment = this.#at(at);
    moment.answers++;
    moment.refused += refused;
    this.#answers++;
  }

  /**
   * Calls since an instant. Those begun count where they are more than those answered: refusals come sooner than what succeeds,
   * so that a job's first answers are refusals, however few they are of its calls.
   */
  since(from: number): Calls & Answered & { readonly started: number } {
    let [started, answers, refused] = [0, 0, 0];
    for (let n = this.#moments.length - 1; n >= 0; n--) {
      const moment = this.#moments[n];
      if (moment === undefined || moment.at <= from) break;
      started += moment.started;
      answers += moment.answers;
      refused += moment.refused;
    }
    return {
      calls: Math.max(started, answers),
      answers,
      refused,
      started: started === 0 ? answers : Math.max(started, refused),
    };
  }

  /** What succeeded a second, by all that is remembered. */
  succeededPerSecond(now: number): number {
    const { calls, refused } = this.since(Number.NEGATIVE_INFINITY);
    const spanMs = Math.max(secondMs, now - (this.#moments[0]?.at ?? now));
    return ((calls - refused) * secondMs) / spanMs;
  }

  #at(at: number): Moment {
    const last = this.#moments.at(-1);
    if (last?.at === at) return last;
    this.#forget(at);
    const moment = { at, started: 0, answers: 0, refused: 0 };
    this.#moments.push(moment);
    return moment;
  }

  /** Also calls that were neither taken nor refused, but failed, are forgotten. */
  #forget(now: number): void {
    let dropped = 0;
    for (const old of this.#moments) {
      if (old.at > now - secondMs) break;
      if (old.at > now - oldestMs && this.#answers - old.answers < fewAnswers) break;
      this.#answers -= old.answers;
      dropped++;
    }
    if (dropped > 0) this.#moments.splice(0, dropped);
  }
}

/** Of what was counted this part is forgotten a millisecond, and at most that part with each further count. */
const forgottenPerMs = 1 / 2_000;
const forgottenAtMost = 1 / 200;

/** The calls of the last two seconds or so, of a slow job those of a longer time: each counts the less the older it is. */
export class FadingCalls {
  #started = 0;
  #answers = 0;
  #refused = 0;
  #at = 0;

  get calls(): number {
    return Math.max(this.#started, this.#answers);
  }

  get refused(): number {
    return this.#refused;
  }

  started(now: number): void {
    this.#fade(now);
    this.#started++;
  }

  answered(now: number, refused: 0 | 1): void {
    this.#fade(now);
    this.#answers++;
    this.#refused += refused;
  }

  clear(): void {
    this.#started = 0;
    this.#answers = 0;
    this.#refused = 0;
  }

  #fade(now: number): void {
    const kept = 1 - Math.min(forgottenAtMost, Math.max(0, now - this.#at) * forgottenPerMs);
    this.#at = now;
    this.#started *= kept;
    this.#answers *= kept;
    this.#refused *= kept;
  }
}
