/** What is judged: the answers of the last second, or where they are few, the last so many, none older than that. */
const windowMs = 1_000;
const fewAnswers = 50;
const oldestMs = 5_000;
/** Many an API refuses some calls whatever the pace is: this part of them slows nothing down, or the pace would sink without end. */
const tolerated = 0.03;
const toleratedCount = 2;
/** The same in a job's first second, whose pace so far says little of what is taken. */
const toleratedAtFirst = 0.1;
/** After a refusal the pace is this part of what succeeded in the last second. */
const cutTo = 0.95;
/** Without a refusal for this long the pace grows; where it was refused at the same pace before, each time after twice the time. */
const calmMs = 2_000;
const longestCalmMs = 16_000;
/** What succeeded at two cuts is the same when it is no more apart than by this part. */
const samePace = 0.15;
/** Where this part of the calls is refused after the cut as well, they are refused whatever the pace is, and calm brings nothing. */
const uselessCalm = 0.015;
/** A downstream that refuses half of so many answers within so short a time has not been cut to what it takes: it is halved. */
const recutMs = 100;
const recutAnswers = 20;
/** Halved at most to this part of what succeeded before: the next second tells more. */
const recutTo = 0.25;
/** Growth a second, of the pace and at least of one call; and where the pace is beyond that of the last refusals by more than this. */
const growth = 1.03;
const freeGrowth = 1.1;
const freeFrom = 1.1;
/** The same below what succeeded when it was cut, where nothing new is tried. */
const recovery = 1.5;
const growthFloor = 0.1;
/** A pace further above what is asked for than this slows nothing down. */
const boundFrom = 1.5;
/** The slowest pace: a downstream that recovers has to be noticed. */
const floorPerSecond = 1;
/** A job holds only when so many answers came in a second, and this part of them were refusals. */
const holdAnswers = 20;
const holdPart = 0.5;
const holdFromMs = 2_000;

/** Answers of one millisecond: one object an answer, kept for a second, was what a fast worker's garbage collector copied most. */
interface Answers {
  readonly at: number;
  answers: number;
  refused: number;
}

/**
 * Slows down when the downstream refuses, and comes back: additive increase, multiplicative decrease of the pace of starts.
 * More than some refusals cut the pace to what succeeded in the last second, once a second; in between it is halved while half is refused.
 * After calm it is soon where it had been cut to, and from there grows by 3 % a second until it no longer binds: later where the same pace
 * was refused before, and faster beyond all that was refused.
 */
export class Brake {
  /** Starts a second; infinite while nothing is refused. */
  #perSecond = Number.POSITIVE_INFINITY;
  #answers: Answers[] = [];
  /** Answers that are remembered. */
  #count = 0;
  #cutAt = Number.NEGATIVE_INFINITY;
  #halvedAt = Number.NEGATIVE_INFINITY;
  /** Starts a second that went well when it was cut. */
  #known = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  /** For how long after the cut no more is tried. */
  #calmMs = calmMs;
  /** Whether it was cut to what the beginning of a second came to. */
  #isGuessed = false;
  #grownAt = 0;
  #firstAt = Number.POSITIVE_INFINITY;
  #holdUntil = 0;
  #isHoldUntold = false;

  /** Starts a second that the downstream seems to take. */
  perSecond(now: number): number {
    this.#grow(now);
    return this.#perSecond;
  }

  /** The same where so much is asked for that it slows something down; undefined where it does not. */
  bindsAt(now: number): number | undefined {
    const pace = this.perSecond(now);
    const { answers } = this.#since(now - windowMs);
    return pace <= boundFrom * Math.max(answers, 1) || this.holdMs(now) > 0 ? pace : undefined;
  }

  /** Goes on at so many times the pace: what is taken is shared among fewer workers, or more. */
  scale(now: number, by: number): void {
    this.#perSecond = this.perSecond(now) * by;
    this.#known *= by;
  }

  /** Milliseconds until anything may start again. */
  holdMs(now: number): number {
    return Math.max(0, this.#holdUntil - now);
  }

  succeeded(now: number): void {
    this.#remember(now, 0);
  }

  refused(now: number, retryAfterMs: number | undefined): void {
    this.#remember(now, 1);
    const judged = this.#since(Number.NEGATIVE_INFINITY).refused;
    const part = now - this.#firstAt < windowMs ? toleratedAtFirst : tolerated;
    if (judged <= Math.max(toleratedCount, part * this.#count)) {
      const calmFor = now - this.#cutAt;
      const isCalm = calmFor > windowMs && calmFor < this.#calmMs;
      if (isCalm && judged >= toleratedCount && judged > uselessCalm * this.#count) this.#calmMs = calmMs;
      return;
    }
    this.#refusedAt = now;
    const { answers, refused } = this.#since(now - windowMs);
    const isRefusedAsAWhole = answers >= holdAnswers && refused >= holdPart * answers;
    const isMost = refused >= answers / 2;
    // In a job's first second few have been answered yet.
    const spanMs = isMost ? windowMs : Math.max(100, Math.min(windowMs, now - this.#firstAt));
    const lately = ((answers - refused) * windowMs) / spanMs;
    // What a single second of few answers comes to is chance.
    const isFew = !isMost && answers < fewAnswers;
    const succeeded = isFew ? Math.max(lately, this.#succeededPerSecond(now)) : lately;
    if (now - this.#cutAt >= windowMs) {
      this.#judge(succeeded);
      this.#cut(now, succeeded);
      this.#isGuessed = spanMs < windowMs;
    } else if (this.#isGuessed && isMost) {
      // It was the beginning of a burst of which most is refused: what comes after it is like its good part alone.
      this.#isGuessed = false;
      this.#known = succeeded;
      this.#cut(this.#cutAt, succeeded);
    } else if (now - Math.max(this.#cutAt, this.#halvedAt) >= recutMs) {
      const late = this.#since(now - recutMs);
      // A limit that counts by the second refuses all of its end, so that a shorter time says too little to go further down.
      if (late.answers >= recutAnswers && late.refused >= late.answers / 2) this.#halve(now);
    }
    // Where nothing went well, half of what was tried may.
    if (succeeded === 0) this.#known = Math.max(this.#known, answers / 2);
    if (isRefusedAsAWhole && retryAfterMs !== undefined && retryAfterMs >= holdFromMs && this.#holdUntil <= now) {
      this.#holdUntil = now + retryAfterMs;
      this.#isHoldUntold = true;
      this.#perSecond = Math.max(floorPerSecond, this.#perSecond / 2);
    }
  }

  /** Milliseconds that are left of a hold that began here, and of which others do not know. */
  untoldHoldMs(now: number): number {
    return this.#isHoldUntold ? this.holdMs(now) : 0;
  }

  toldHold(): void {
    this.#isHoldUntold = false;
  }

  /** Another worker was asked for a rest: it holds here as well, and what comes after it is half of what was tried. */
  hold(now: number, ms: number): void {
    if (ms <= 0 || this.holdMs(now) >= ms - windowMs) return;
    this.#holdUntil = now + ms;
    const { answers } = this.#since(now - windowMs);
    if (answers > 0) this.#perSecond = Math.max(floorPerSecond, Math.min(this.#perSecond, answers) / 2);
    this.#refusedAt = Math.max(this.#refusedAt, now + ms - calmMs);
    this.#grownAt = now;
  }

  /** Learns what is taken: a pace at which it was refused twice is that of the downstream, and seldom worth a try. */
  #judge(succeeded: number): void {
    const isSame = Math.abs(succeeded - this.#known) <= samePace * this.#known;
    this.#known = succeeded;
    this.#calmMs = isSame ? Math.min(longestCalmMs, 2 * this.#calmMs) : calmMs;
  }

  #cut(now: number, succeededPerSecond: number): void {
    this.#cutAt = now;
    this.#grownAt = now;
    this.#perSecond = Math.max(floorPerSecond, cutTo * Math.min(this.#perSecond, succeededPerSecond));
  }

  #halve(now: number): void {
    this.#halvedAt = now;
    this.#grownAt = now;
    this.#perSecond = Math.max(floorPerSecond, recutTo * this.#known, (cutTo * this.#perSecond) / 2);
  }

  #since(from: number): { readonly answers: number; readonly refused: number } {
    let answers = 0;
    let refused = 0;
    for (const one of this.#answers) {
      if (one.at <= from) continue;
      answers += one.answers;
      refused += one.refused;
    }
    return { answers, refused };
  }

  /** By all that is remembered. */
  #succeededPerSecond(now: number): number {
    const { answers, refused } = this.#since(Number.NEGATIVE_INFINITY);
    const spanMs = Math.max(windowMs, now - (this.#answers[0]?.at ?? now));
    return ((answers - refused) * windowMs) / spanMs;
  }

  #remember(at: number, refused: 0 | 1): void {
    this.#firstAt = Math.min(this.#firstAt, at);
    this.#count++;
    const last = this.#answers.at(-1);
    if (last?.at === at) {
      last.answers++;
      last.refused += refused;
      return;
    }
    this.#answers.push({ at, answers: 1, refused });
    // What is too old is forgotten, but for the last few.
    let dropped = 0;
    for (const old of this.#answers) {
      if (old.at > at - windowMs) break;
      if (old.at > at - oldestMs && this.#count - old.answers < fewAnswers) break;
      this.#count -= old.answers;
      dropped++;
    }
    if (dropped > 0) this.#answers.splice(0, dropped);
  }

  #grow(now: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    const from = Math.max(this.#grownAt, this.#refusedAt + calmMs);
    if (now <= from) return;
    const recovered = Math.min(cutTo * this.#known, this.#perSecond * recovery ** ((now - from) / 1_000));
    const seconds = Math.max(0, now - Math.max(from, this.#cutAt + this.#calmMs)) / 1_000;
    const by = this.#perSecond > freeFrom * this.#known ? freeGrowth : growth;
    this.#perSecond = Math.max(recovered, this.#perSecond * by ** seconds + growthFloor * seconds);
    this.#grownAt = now;
    const started = this.#since(now - windowMs).answers;
    // A pace far above what is asked for brakes nothing.
    if (this.#perSecond > 1_000_000 || (this.#perSecond > 4 * Math.max(started, 25) && now - this.#refusedAt > 60_000))
      this.#perSecond = Number.POSITIVE_INFINITY;
  }
}
