import { Hold } from './hold.ts';
import { type Calls, FadingCalls, RecentCalls } from './recent-calls.ts';
import { RefusedAlways } from './refused-always.ts';
import { isQuiet, tryMs } from './tries.ts';

/** What is judged: the last second. */
const windowMs = 1_000;
/** A second in which less than this part of the pace began had a rest in it. */
const restPart = 0.7;
/** What is judged in its place: so much of it, where so many calls came. */
const partMs = 250;
const fewAnswers = 50;
/** So few refusals say nothing. */
const toleratedCount = 2;
/** Refused beyond what is refused whatever the pace is: this part of the calls cuts the pace, and this part at once. */
const tolerated = 0.015;
const severe = 0.1;
/** In the quiet time of each round, when all workers have what they had been cut to, already this part does, and a little. */
const toleratedInQuiet = 0.003;
const quietCut = 0.96;
const quietCutMs = 1_500;
/** After a refusal the pace is this part of what succeeded in the last second; what was under way then is not judged. */
const cutTo = 0.92;
const settleMs = 300;
/** Without a refusal for this long the pace grows; where it was refused at the same pace before, each time after twice the time. */
const calmMs = 2_000;
const longestCalmMs = 16_000;
/** What succeeded at two cuts is the same when it is no more apart than by this part. */
const samePace = 0.15;
/** A downstream that refuses half of what begins within so short a time takes no more for now: the pace is what it takes of that. */
const wallMs = 40;
const wallRefusals = 10;
const wallAgainMs = 40;
/** At least this part of what succeeded before: the next second tells more. */
const wallTo = 0.2;
/** The same at a pace that was taken before: a worker or the downstream stood still for a moment, and made up for it. */
const knownWallTo = 0.7;
/** Growth a second, of the pace and at least of a tenth of a call; where the pace was refused twice; and beyond that of the last refusals by more than this. */
const growth = 1.03;
const carefulGrowth = 1.015;
const freeGrowth = 1.1;
const freeFrom = 1.1;
/** The same below what succeeded when it was cut, where nothing new is tried. */
const recovery = 1.5;
const growthFloor = 0.1;
/** After so long without a cut nobody waits for the others to try more. */
const carefulForMs = 24_000;
/** A pace further above what is asked for than this slows nothing down. */
const boundFrom = 1.5;
/** The slowest pace: a downstream that recovers has to be noticed. */
const floorPerSecond = 1;

/**
 * Slows down when the downstream refuses, and comes back: additive increase, multiplicative decrease of the pace of starts.
 * More refusals than there are whatever the pace is cut it to what succeeded in the last second, once a second; in between it falls at once
 * to what is taken where half is refused. After calm it is soon where it had been cut to, and from there grows until it no longer binds:
 * later and more slowly where the same pace was refused before, at the times at which all workers do, and faster beyond all that was refused.
 */
export class Brake {
  /** Starts a second; infinite while nothing is refused. */
  #perSecond = Number.POSITIVE_INFINITY;
  readonly #recent = new RecentCalls();
  readonly #fading = new FadingCalls();
  readonly #always = new RefusedAlways();
  #cutAt = Number.NEGATIVE_INFINITY;
  #walledAt = Number.NEGATIVE_INFINITY;
  /** Of that, what it falls to at most. */
  #leastPart = wallTo;
  #quietCutAt = Number.NEGATIVE_INFINITY;
  /** Starts a second that went well when it was cut. */
  #known = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  /** For how long after the cut no more is tried. */
  #calmMs = calmMs;
  /** Whether that was cut soon after an earlier cut: a single bad second says little of what is taken. */
  #isAgain = false;
  /** Whether it was cut to what the beginning of a second came to. */
  #isGuessed = false;
  #grownAt = 0;
  #firstAt = Number.POSITIVE_INFINITY;
  readonly #hold = new Hold();

  /** Starts a second that the downstream seems to take. */
  perSecond(now: number): number {
    this.#grow(now);
    return this.#perSecond;
  }

  /** The same where so much is asked for that it slows something down; undefined where it does not. */
  bindsAt(now: number): number | undefined {
    const pace = this.perSecond(now);
    const { answers } = this.#recent.since(now - windowMs);
    return pace <= boundFrom * Math.max(answers, 1) || this.holdMs(now) > 0 ? pace : undefined;
  }

  /** Goes on at so many times the pace: what is taken is shared among fewer workers, or more. */
  scale(now: number, by: number): void {
    this.#perSecond = this.perSecond(now) * by;
    this.#known *= by;
  }

  /** Goes on at the pace to which refusals had brought another worker, whose part of the job this one takes over. */
  inherit(now: number, perSecond: number): void {
    this.#perSecond = Math.max(floorPerSecond, perSecond);
    this.#known = this.#perSecond / cutTo;
    this.#cutAt = now;
    this.#grownAt = now;
    this.#refusedAt = now;
    this.#isAgain = true;
  }

  /** Milliseconds until anything may start again. */
  holdMs(now: number): number {
    return this.#hold.leftMs(now);
  }

  started(now: number): void {
    this.#recent.started(now);
    if (this.#isSettled(now)) this.#fading.started(now);
  }

  succeeded(now: number): void {
    this.#answered(now, 0);
  }

  refused(now: number, retryAfterMs: number | undefined): void {
    this.#answered(now, 1);
    const second = this.#recent.since(now - windowMs);
    if (this.#isWall(now)) this.#fall(now, second);
    else if (this.#isTooMany(now, second)) this.#judge(now, second);
    else if (this.#isTooManyInQuiet(now)) this.#cutInQuiet(now, second);
    else return;
    this.#refusedAt = now;
    if (this.#hold.asked(now, second, retryAfterMs)) this.#perSecond = Math.max(floorPerSecond, this.#perSecond / 2);
  }

  /** Milliseconds that are left of a hold that began here, and of which others do not know. */
  untoldHoldMs(now: number): number {
    return this.#hold.untoldMs(now);
  }

  toldHold(): void {
    this.#hold.told();
  }

  /** Another worker was asked for a rest: it holds here as well, and what comes after it is half of what was tried. */
  hold(now: number, ms: number): void {
    if (!this.#hold.joined(now, ms)) return;
    const { answers } = this.#recent.since(now - windowMs);
    if (answers > 0) this.#perSecond = Math.max(floorPerSecond, Math.min(this.#perSecond, answers) / 2);
    this.#refusedAt = Math.max(this.#refusedAt, now + ms - calmMs);
    this.#grownAt = now;
  }

  #answered(now: number, refused: 0 | 1): void {
    this.#firstAt = Math.min(this.#firstAt, now);
    this.#recent.answered(now, refused);
    if (!this.#isSettled(now)) {
      this.#fading.clear();
      return;
    }
    this.#fading.answered(now, refused);
    this.#always.answered(now, refused, this.#perSecond < this.#known && now - this.#cutAt > windowMs);
  }

  #isSettled(now: number): boolean {
    return now - Math.max(this.#cutAt, this.#quietCutAt) >= settleMs;
  }

  #isWall(now: number): boolean {
    const { started, refused } = this.#recent.since(now - wallMs);
    const isFirstSecond = now - this.#firstAt < windowMs;
    return !isFirstSecond && refused >= wallRefusals && 2 * refused >= started && now - this.#walledAt > wallAgainMs;
  }

  #isTooMany(now: number, second: Calls): boolean {
    if (this.#isBeyond(second, severe)) return true;
    const isEnough = now - this.#firstAt >= windowMs || this.#fading.calls >= fewAnswers;
    return isEnough && now - this.#cutAt > windowMs && this.#isBeyond(this.#fading, tolerated);
  }

  #isBeyond({ calls, refused }: Calls, part: number): boolean {
    return refused > toleratedCount && refused > this.#always.most(calls) + part * calls;
  }

  #isTooManyInQuiet(now: number): boolean {
    const { calls, refused } = this.#fading;
    const isFree = this.#perSecond > freeFrom * this.#known;
    const isDue = now - Math.max(this.#cutAt, this.#quietCutAt) > quietCutMs;
    if (!isQuiet(now) || isFree || !isDue) return false;
    return refused > toleratedCount - 0.5 && refused > this.#always.mostLearned(calls) + toleratedInQuiet * calls;
  }

  /** The pace goes down at once to what is taken now. */
  #fall(now: number, second: Calls): void {
    if (now - this.#cutAt > windowMs) {
      this.#learn(now, Math.max(second.calls - second.refused, this.#afterRest(now, second.calls)));
      this.#cutAt = now;
      this.#isGuessed = false;
    }
    this.#walledAt = now;
    this.#grownAt = now;
    const { started, refused } = this.#recent.since(now - wallMs);
    const taken = Math.min(this.#perSecond, ((started - refused) * 1_000) / wallMs);
    this.#perSecond = Math.max(floorPerSecond, this.#leastPart * this.#known, taken);
  }

  #judge(now: number, { calls, refused }: Calls): void {
    const isMost = refused >= calls / 2;
    // In a job's first second few have been answered yet.
    const spanMs = isMost ? windowMs : Math.max(100, Math.min(windowMs, now - this.#firstAt));
    const lately = Math.max(((calls - refused) * windowMs) / spanMs, isMost ? 0 : this.#afterRest(now, calls));
    // What a single second of few answers comes to is chance.
    const isFew = !isMost && calls < fewAnswers;
    const succeeded = isFew ? Math.max(lately, this.#recent.succeededPerSecond(now)) : lately;
    if (now - this.#cutAt >= windowMs) {
      this.#learn(now, succeeded);
      this.#cut(now, succeeded);
      this.#isGuessed = spanMs < windowMs;
    } else if (this.#isGuessed && isMost) {
      // It was the beginning of a burst of which most is refused: what comes after it is like its good part alone.
      this.#isGuessed = false;
      this.#known = succeeded;
      this.#cut(this.#cutAt, succeeded);
    }
    // Where nothing went well, half of what was tried may.
    if (succeeded === 0) this.#known = Math.max(this.#known, calls / 2);
  }

  /** What succeeded a second by a part of it that has enough calls: after a rest the second says too little. */
  #afterRest(now: number, inSecond: number): number {
    if (inSecond > restPart * this.#perSecond || this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    const { calls, refused } = this.#recent.since(now - partMs);
    return calls < fewAnswers ? 0 : ((calls - refused) * windowMs) / partMs;
  }

  /** Learns what is taken: a pace at which it was refused twice is that of the downstream, and seldom worth a try. */
  #learn(now: number, succeeded: number): void {
    this.#isAgain = now - this.#cutAt < carefulForMs;
    this.#leastPart = this.#perSecond > freeFrom * this.#known ? wallTo : knownWallTo;
    const isSame = Math.abs(succeeded - this.#known) <= samePace * this.#known;
    this.#known = succeeded;
    this.#calmMs = isSame ? Math.min(longestCalmMs, 2 * this.#calmMs) : calmMs;
  }

  #cut(now: number, succeededPerSecond: number): void {
    this.#cutAt = now;
    this.#grownAt = now;
    this.#perSecond = Math.max(floorPerSecond, cutTo * Math.min(this.#perSecond, succeededPerSecond));
  }

  #cutInQuiet(now: number, { calls, refused }: Calls): void {
    this.#quietCutAt = now;
    this.#grownAt = now;
    this.#perSecond = Math.max(floorPerSecond, quietCut * Math.min(this.#perSecond, calls - refused));
    this.#always.restart();
  }

  #grow(now: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    const from = Math.max(this.#grownAt, this.#refusedAt + calmMs);
    if (now <= from) return;
    const recovered = Math.min(cutTo * this.#known, this.#perSecond * recovery ** ((now - from) / 1_000));
    this.#perSecond = Math.max(recovered, this.#tried(now, Math.max(from, this.#cutAt + this.#calmMs)));
    this.#grownAt = now;
    const { answers } = this.#recent.since(now - windowMs);
    // A pace far above what is asked for brakes nothing.
    if (this.#perSecond > 1_000_000 || (this.#perSecond > 4 * Math.max(answers, 25) && now - this.#refusedAt > 60_000))
      this.#perSecond = Number.POSITIVE_INFINITY;
  }

  /** The pace that is tried by now, when more of it may be tried since an instant. */
  #tried(now: number, since: number): number {
    if (now <= since) return this.#perSecond;
    const isFree = this.#perSecond > freeFrom * this.#known;
    const isCareful = !isFree && this.#isAgain && now - this.#cutAt < carefulForMs;
    const seconds = (isCareful ? tryMs(since, now) : now - since) / 1_000;
    const by = isFree ? freeGrowth : isCareful ? carefulGrowth : growth;
    return this.#perSecond * by ** seconds + growthFloor * seconds;
  }
}
