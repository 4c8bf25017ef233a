import { tryMs } from './tries.ts';

/** Without a refusal for this long the pace grows; where it was refused at the same pace before, each time after twice the time. */
export const calmMs = 2_000;
const longestCalmMs = 16_000;
/** What succeeded at two cuts is the same when it is no more apart than by this part. */
const samePace = 0.15;
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

/** A time without refusals. */
interface Calm {
  readonly from: number;
  readonly now: number;
  /** When the pace was last cut. */
  readonly cutAt: number;
  /** What it is cut to, of what succeeded. */
  readonly cutTo: number;
}

/** The pace that a downstream took when refusals last cut it, and how more is tried from there. */
export class TakenPace {
  /** Starts a second that went well when it was cut; 0 where nothing is known. */
  perSecond = 0;
  /** For how long after the cut no more is tried. */
  #calmMs = calmMs;
  /** Whether that was cut soon after an earlier cut: a single bad second says little of what is taken. */
  #isAgain = false;

  /** Whether a pace is beyond all that was refused. */
  isBelow(pace: number): boolean {
    return pace > freeFrom * this.perSecond;
  }

  /** So much succeeded at a cut, so long after the last one: a pace at which it was refused twice is the downstream's, and seldom worth a try. */
  learn(succeeded: number, sinceCutMs: number): void {
    this.#isAgain = sinceCutMs < carefulForMs;
    const isSame = Math.abs(succeeded - this.perSecond) <= samePace * this.perSecond;
    this.perSecond = succeeded;
    this.#calmMs = isSame ? Math.min(longestCalmMs, 2 * this.#calmMs) : calmMs;
  }

  /** Another worker has learned it. */
  inherit(perSecond: number): void {
    this.perSecond = perSecond;
    this.#isAgain = true;
  }

  forget(): void {
    this.perSecond = 0;
    this.#isAgain = false;
    this.#calmMs = calmMs;
  }

  /** What a pace has grown to in a time without refusals. */
  grown(pace: number, calm: Calm): number {
    const { from, now, cutTo } = calm;
    const recovered = Math.min(cutTo * this.perSecond, pace * recovery ** ((now - from) / 1_000));
    return Math.max(recovered, this.#tried(pace, calm));
  }

  #tried(pace: number, { from, now, cutAt }: Calm): number {
    const since = Math.max(from, cutAt + this.#calmMs);
    if (now <= since) return pace;
    const isFree = this.isBelow(pace);
    const isCareful = !isFree && this.#isAgain && now - cutAt < carefulForMs;
    const seconds = (isCareful ? tryMs(since, now) : now - since) / 1_000;
    const by = isFree ? freeGrowth : isCareful ? carefulGrowth : growth;
    return pace * by ** seconds + growthFloor * seconds;
  }
}
