import type { Calls } from './recent-calls.ts';

/** What began before a cut has been answered by then. */
const settledMs = 1_000;
/** What has not shown by then never will. */
const longestMs = 15_000;
/** A deeper cut is to the pace divided by this: if one of five workers does it alone, a tenth of all calls is gone. */
export const deeperBy = 2;
/** A cut is made when chance refuses many: this part of that is taken for the mean, and no more than that of all calls. */
const meanPart = 0.6;
const mostPart = 0.2;
/** So many refusals are expected where a cut was in vain; this part of them is enough to call it that, and none of a third of them, to say that it helped. */
const expected = 8;
const vainPart = 0.45;
const leastCount = 1 / 3;
/** A cut that it would take so many seconds to judge is not made. */
const longestSeconds = 12;
/** A smaller part that is refused still does not slow a job down. */
const leastPart = 0.015;

/** A cut of the pace. */
export interface CutStart {
  readonly at: number;
  /** Starts a second before it. */
  readonly pace: number;
  /** Starts a second that went well then: at more, it says nothing any more. */
  readonly taken: number;
  /** The calls for which it was made. */
  readonly calls: Calls;
  /** The part that is known to be refused whatever the pace is. */
  readonly always: number;
  /** How many deeper cuts have to be in vain as well. */
  readonly deeper: number;
}

/** What has come of it: it is not known yet, or is to be found out by a deeper one, or is never known; less is refused since, or as much as before. */
export type CutVerdict = 'open' | 'deeper' | 'unknown' | 'helped' | 'vain';

/**
 * Finds out whether a cut lowers the part of the calls that is refused. Where it does not, the pace may not be why they are; but one of
 * several workers whose pace is cut lowers that of all by little. So it cuts deeper, once or twice, for as long as it takes to tell.
 */
export class CutTrial {
  readonly #start: CutStart;
  #at: number;
  #depth = 0;
  /** Answers that are wanted, and how many of them are refused at least if it was in vain. */
  #wanted = 0;
  #enough = 0;
  #calls = 0;
  #refused = 0;
  /** Of the cuts that were in vain. */
  #seen: Calls = { calls: 0, refused: 0 };

  constructor(start: CutStart) {
    const { at, calls } = start;
    this.#start = start;
    this.#at = at;
    this.#expect((meanPart * calls.refused) / calls.calls);
  }

  /** Starts a second before the first cut. */
  get pace(): number {
    return this.#start.pace;
  }

  /** How many times slower it is only to find this out. */
  get slowedBy(): number {
    return deeperBy ** this.#depth;
  }

  get isDeep(): boolean {
    return this.#depth > 0;
  }

  /** What came since the last cut. */
  get after(): Calls {
    return { calls: this.#calls, refused: this.#refused };
  }

  /** What came since the first one. */
  get seen(): Calls {
    return this.#seen;
  }

  /** Whether it took too long. */
  isOver(now: number): boolean {
    return now - this.#at > longestMs;
  }

  answered(now: number, refused: 0 | 1, pace: number): CutVerdict {
    const { taken, always, deeper } = this.#start;
    if (this.isOver(now) || (!this.isDeep && pace >= taken)) return 'unknown';
    if (now - this.#at <= settledMs) return 'open';
    this.#calls++;
    this.#refused += refused;
    if (this.#calls < this.#wanted * leastCount) return 'open';
    if (this.#refused === 0) return 'helped';
    if (this.#refused <= this.#enough) return this.#calls < this.#wanted ? 'open' : 'helped';
    if (this.#refused < (always + leastPart) * this.#calls) return 'helped';
    this.#seen = { calls: this.#seen.calls + this.#calls, refused: this.#seen.refused + this.#refused };
    if (this.#depth === deeper) return 'vain';
    // The count ended with a refusal.
    this.#expect((this.#refused - 1) / (this.#calls - 1));
    // It would take too long to tell.
    if (this.#wanted > pace * longestSeconds) return 'unknown';
    this.#depth++;
    this.#at = now;
    this.#calls = 0;
    this.#refused = 0;
    return 'deeper';
  }

  #expect(refusedPart: number): void {
    const { always } = this.#start;
    const part = Math.min(mostPart, refusedPart);
    const more = Math.max(0.005, part - always);
    this.#wanted = (expected * part) / more ** 2;
    this.#enough = (always + vainPart * more) * this.#wanted;
  }
}
