import { type Answered, type Calls, FadingCalls, RecentCalls } from './recent-calls.ts';
import { RefusedAlways } from './refused-always.ts';
import { isQuiet } from './tries.ts';

/** What is judged: the last second. */
export const judgedMs = 1_000;
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
/** A downstream that refuses half of what begins within so short a time takes no more for now: the pace is what it takes of that. */
const wallMs = 40;
const wallRefusals = 10;

/** The last second. */
export type Judged = Calls & Answered;

/** What went well, in calls a second. */
interface Succeeded {
  readonly succeeded: number;
  /** Whether at least half was refused. */
  readonly isMost: boolean;
  /** Whether it is what the beginning of a second came to. */
  readonly isGuess: boolean;
}

/** Tells which refusals of a job's last calls in one worker are too many, and what went well beside them. */
export class Refusals {
  readonly always = new RefusedAlways();
  readonly #recent = new RecentCalls();
  readonly #fading = new FadingCalls();
  #firstAt = Number.POSITIVE_INFINITY;

  /** A call begins; `isSettled` is a pace that has been the same for a while. */
  started(now: number, isSettled: boolean): void {
    this.#recent.started(now);
    if (isSettled) this.#fading.started(now);
  }

  /** One is answered; `isSlow` is a pace that has been taken. */
  answered(now: number, refused: 0 | 1, at: { readonly isSettled: boolean; readonly isSlow: boolean }): void {
    this.#firstAt = Math.min(this.#firstAt, now);
    this.#recent.answered(now, refused);
    if (at.isSettled) {
      this.#fading.answered(now, refused);
      this.always.answered(now, refused, at.isSlow);
    } else this.#fading.clear();
  }

  /** Judges only what comes from now on. */
  restart(): void {
    this.#fading.clear();
  }

  second(now: number): Judged {
    return this.#recent.since(now - judgedMs);
  }

  /** Whether the downstream takes no more for now. */
  isWall(now: number): boolean {
    const { started, refused } = this.#recent.since(now - wallMs);
    const isFirstSecond = now - this.#firstAt < judgedMs;
    return !isFirstSecond && refused >= wallRefusals && 2 * refused >= started;
  }

  /** What it takes then, in calls a second. */
  takenAtWall(now: number): number {
    const { started, refused } = this.#recent.since(now - wallMs);
    return ((started - refused) * 1_000) / wallMs;
  }

  /** The calls of which too many were refused; those of some seconds say so only where the pace has stood for as long as `isOld` says. */
  tooMany(now: number, second: Judged, isOld: boolean): Calls | undefined {
    if (this.#isBeyond(second, severe)) return second;
    const isEnough = now - this.#firstAt >= judgedMs || this.#fading.calls >= fewAnswers;
    return isEnough && isOld && this.#isBeyond(this.#fading, tolerated) ? this.#fading : undefined;
  }

  #isBeyond({ calls, refused }: Calls, part: number): boolean {
    return refused > toleratedCount && refused > this.always.most(calls) + part * calls;
  }

  /** The same while no worker tries more. */
  isTooManyInQuiet(now: number): boolean {
    const { calls, refused } = this.#fading;
    if (!isQuiet(now)) return false;
    return refused > toleratedCount - 0.5 && refused > this.always.mostLearned(calls) + toleratedInQuiet * calls;
  }

  /** What went well of the last second, at a pace. */
  succeeded(now: number, second: Judged, pace: number): Succeeded {
    const { calls, refused } = second;
    const isMost = refused >= calls / 2;
    // In a job's first second few have been answered yet.
    const spanMs = isMost ? judgedMs : Math.max(100, Math.min(judgedMs, now - this.#firstAt));
    const lately = Math.max(((calls - refused) * judgedMs) / spanMs, isMost ? 0 : this.afterRest(now, second, pace));
    // What a single second of few answers comes to is chance.
    const isFew = !isMost && calls < fewAnswers;
    const succeeded = isFew ? Math.max(lately, this.#recent.succeededPerSecond(now)) : lately;
    return { succeeded, isMost, isGuess: spanMs < judgedMs };
  }

  /** What succeeded a second by a part of it that has enough calls: after a rest the second says too little. */
  afterRest(now: number, second: Judged, pace: number): number {
    if (second.calls > restPart * pace || pace === Number.POSITIVE_INFINITY) return 0;
    const { calls, refused } = this.#recent.since(now - partMs);
    return calls < fewAnswers ? 0 : ((calls - refused) * judgedMs) / partMs;
  }
}
