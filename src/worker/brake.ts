import { CutTrial, deeperBy } from './cut-trial.ts';
import { Hold } from './hold.ts';
import type { Calls } from './recent-calls.ts';
import { type Judged, judgedMs, Refusals } from './refusals.ts';
import { calmMs, TakenPace } from './taken-pace.ts';

/** A cut in the quiet time of each round is a small one. */
const quietCut = 0.96;
const quietCutMs = 1_500;
/** After a refusal the pace is this part of what succeeded in the last second; what was under way then is not judged. */
const cutTo = 0.92;
const settleMs = 300;
/** A downstream that takes no more for now is looked at again so soon. */
const wallAgainMs = 40;
/** At least this part of what succeeded before: the next second tells more. */
const wallTo = 0.2;
/** The same at a pace that was taken before: a worker or the downstream stood still for a moment, and made up for it. */
const knownWallTo = 0.7;
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
  readonly #refusals = new Refusals();
  #cutAt = Number.NEGATIVE_INFINITY;
  #walledAt = Number.NEGATIVE_INFINITY;
  /** Of that, what it falls to at most. */
  #leastPart = wallTo;
  #quietCutAt = Number.NEGATIVE_INFINITY;
  readonly #taken = new TakenPace();
  #refusedAt = Number.NEGATIVE_INFINITY;
  /** Whether it was cut to what the beginning of a second came to. */
  #isGuessed = false;
  #grownAt = 0;
  readonly #hold = new Hold();
  /** By which it is found out whether the last cut helped. */
  #trial: CutTrial | undefined;
  /** Whether one did, since one was in vain: then the pace is why calls are refused, unless more speaks against it. */
  #hasHelped = false;

  /** Starts a second that the downstream seems to take. */
  perSecond(now: number): number {
    this.#grow(now);
    return this.#perSecond;
  }

  /** The same where so much is asked for that it slows something down; undefined where it does not. */
  bindsAt(now: number): number | undefined {
    const pace = this.perSecond(now);
    const { answers } = this.#refusals.second(now);
    return pace <= boundFrom * Math.max(answers, 1) || this.holdMs(now) > 0 ? pace : undefined;
  }

  /** Goes on at so many times the pace: what is taken is shared among fewer workers, or more. */
  scale(now: number, by: number): void {
    this.#perSecond = this.perSecond(now) * by;
    this.#taken.perSecond *= by;
    this.#trial = undefined;
  }

  /** Goes on at the pace to which refusals had brought another worker, whose part of the job this one takes over. */
  inherit(now: number, perSecond: number): void {
    this.#perSecond = Math.max(floorPerSecond, perSecond);
    this.#taken.inherit(this.#perSecond / cutTo);
    this.#trial = undefined;
    this.#cutAt = now;
    this.#grownAt = now;
    this.#refusedAt = now;
  }

  /** Milliseconds until anything may start again. */
  holdMs(now: number): number {
    return this.#hold.leftMs(now);
  }

  started(now: number): void {
    this.#refusals.started(now, this.#isSettled(now));
  }

  succeeded(now: number): void {
    this.#answered(now, 0);
  }

  refused(now: number, retryAfterMs: number | undefined): void {
    this.#answered(now, 1);
    const second = this.#refusals.second(now);
    const tooMany = this.#tooMany(now, second);
    if (now - this.#walledAt > wallAgainMs && this.#refusals.isWall(now)) this.#fall(now, second);
    else if (tooMany !== undefined) this.#judge(now, second, tooMany);
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
    const { answers } = this.#refusals.second(now);
    if (answers > 0) this.#perSecond = Math.max(floorPerSecond, Math.min(this.#perSecond, answers) / 2);
    this.#refusedAt = Math.max(this.#refusedAt, now + ms - calmMs);
    this.#grownAt = now;
  }

  #answered(now: number, refused: 0 | 1): void {
    const isSettled = this.#isSettled(now);
    const isSlow = this.#perSecond < this.#taken.perSecond && now - this.#cutAt > judgedMs;
    this.#refusals.answered(now, refused, { isSettled, isSlow });
    if (isSettled && this.#trial !== undefined) this.#try(now, refused, this.#trial);
  }

  /** Goes by what has come of the last cut. */
  #try(now: number, refused: 0 | 1, trial: CutTrial): void {
    const verdict = trial.answered(now, refused, this.#perSecond);
    if (verdict === 'open') return;
    if (verdict === 'deeper') {
      this.#perSecond /= deeperBy;
      this.#cutAt = now;
      return;
    }
    this.#trial = undefined;
    if (verdict === 'vain') this.#goBack(now, trial);
    else this.#perSecond *= trial.slowedBy;
    if (verdict === 'helped') {
      this.#hasHelped = true;
      this.#refusals.always.atMost(trial.after);
    }
  }

  /** The pace is not why calls are refused: it is what it was, and nothing is known of what is taken. */
  #goBack(now: number, { pace, seen }: CutTrial): void {
    this.#refusals.always.atLeast(seen);
    this.#hasHelped = false;
    this.#perSecond = Math.max(this.#perSecond, pace);
    this.#taken.forget();
    this.#grownAt = now;
    this.#refusals.restart();
  }

  #isSettled(now: number): boolean {
    return now - Math.max(this.#cutAt, this.#quietCutAt) >= settleMs;
  }

  /** The calls of which too many were refused. */
  #tooMany(now: number, second: Judged): Calls | undefined {
    // The pace has been cut deeper to find out whether that helps: only a downstream that refuses half says more.
    if (this.#trial?.isDeep && 2 * second.refused < second.calls) return undefined;
    return this.#refusals.tooMany(now, second, now - this.#cutAt > judgedMs);
  }

  #isTooManyInQuiet(now: number): boolean {
    const isDue = now - Math.max(this.#cutAt, this.#quietCutAt) > quietCutMs;
    if (!isDue || this.#taken.isBelow(this.#perSecond) || this.#trial?.isDeep) return false;
    return this.#refusals.isTooManyInQuiet(now);
  }

  /** The pace goes down at once to what is taken now. */
  #fall(now: number, second: Judged): void {
    if (now - this.#cutAt > judgedMs) {
      this.#learn(now, Math.max(second.calls - second.refused, this.#refusals.afterRest(now, second, this.#perSecond)));
      this.#cutAt = now;
      this.#isGuessed = false;
    }
    this.#trial = undefined;
    this.#walledAt = now;
    this.#grownAt = now;
    const taken = Math.min(this.#perSecond, this.#refusals.takenAtWall(now));
    this.#perSecond = Math.max(floorPerSecond, this.#leastPart * this.#taken.perSecond, taken);
  }

  #judge(now: number, second: Judged, tooMany: Calls): void {
    const { succeeded, isMost, isGuess } = this.#refusals.succeeded(now, second, this.#perSecond);
    if (now - this.#cutAt >= judgedMs) {
      if (this.#trial === undefined || this.#trial.isDeep) this.#begin(now, succeeded, tooMany);
      this.#learn(now, succeeded);
      this.#cut(now, succeeded);
      this.#isGuessed = isGuess;
    } else if (this.#isGuessed && isMost) {
      // It was the beginning of a burst of which most is refused: what comes after it is like its good part alone.
      this.#isGuessed = false;
      this.#taken.perSecond = succeeded;
      this.#cut(this.#cutAt, succeeded);
    }
    // Where nothing went well, half of what was tried may.
    if (succeeded === 0) this.#taken.perSecond = Math.max(this.#taken.perSecond, second.calls / 2);
  }

  #begin(now: number, taken: number, calls: Calls): void {
    const always = this.#refusals.always.learned;
    const deeper = this.#hasHelped ? 2 : 1;
    this.#trial = new CutTrial({ at: now, pace: this.#perSecond, taken, calls, always, deeper });
  }

  #learn(now: number, succeeded: number): void {
    this.#leastPart = this.#taken.isBelow(this.#perSecond) ? wallTo : knownWallTo;
    this.#taken.learn(succeeded, now - this.#cutAt);
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
    this.#refusals.always.restart();
  }

  #grow(now: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    if (this.#trial?.isDeep && !this.#trial.isOver(now)) this.#grownAt = now;
    const from = Math.max(this.#grownAt, this.#refusedAt + calmMs);
    if (now <= from) return;
    this.#perSecond = this.#taken.grown(this.#perSecond, { from, now, cutAt: this.#cutAt, cutTo });
    this.#grownAt = now;
    const { answers } = this.#refusals.second(now);
    // A pace far above what is asked for brakes nothing.
    if (this.#perSecond > 1_000_000 || (this.#perSecond > 4 * Math.max(answers, 25) && now - this.#refusedAt > 60_000))
      this.#perSecond = Number.POSITIVE_INFINITY;
  }
}
