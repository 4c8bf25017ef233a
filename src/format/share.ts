import { limits as bounds } from '../limits.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { perSecondOf } from '../task/rate.ts';

/** Limits, and the number of seats among which they are shared. */
export interface LimitTable {
  readonly limits: JobLimits;
  readonly seats: number;
  /** Seats that have nothing left to start: the others have their shares but for a trickle, since a call may have to be tried again. @default none */
  readonly idle?: readonly number[];
}

/** Seats that have something to start. */
export const seatsAtWork = ({ seats, idle = [] }: Pick<LimitTable, 'seats' | 'idle'>): number =>
  Math.max(1, seats - idle.length);

/** What one seat may do of a job's limits. */
export interface Share {
  /** Calls at once. */
  readonly calls: number;
  /** Starts a second; unlimited when infinite. */
  readonly perSecond: number;
  /** Units a second; unlimited when infinite. */
  readonly unitsPerSecond: number;
}

export const noShare: Share = { calls: 0, perSecond: 0, unitsPerSecond: 0 };

/** Calls that one worker is trusted to carry well: half of what it can hold. */
const callsPerSeat = 250;

/** The smallest number of workers that can carry the limits, at most `workers`: fewer cost less, and pace more evenly. */
export function seatsFor(limits: JobLimits, workers: number): number {
  const { maxConcurrency, rate } = limits;
  const byCalls = maxConcurrency === undefined ? 1 : Math.ceil(maxConcurrency / callsPerSeat);
  const byRate = rate === undefined ? 1 : Math.ceil(perSecondOf(rate) / callsPerSeat);
  return Math.max(1, Math.min(workers, Math.max(byCalls, byRate)));
}

/** Whether every chunk belongs to the same seat by two tables, or to none by both. */
export const dealsAlike = (a: LimitTable, b: LimitTable): boolean =>
  a.seats === b.seats && needsSeats(a.limits) === needsSeats(b.limits);

/** What all idle seats together keep of a rate. */
const trickle = 0.01;

/** Seat `seat` of a table: the calls of all seats add up to the limit, the rates are equal parts of it but for those of idle seats. */
export function shareIn(table: LimitTable, seat: number): Share {
  const { limits, idle = [] } = table;
  if (seat >= table.seats) return noShare;
  const { maxConcurrency, rate, units } = limits;
  const isIdle = idle.includes(seat);
  const seats = table.seats - idle.length;
  const i = seat - idle.filter((other) => other < seat).length;
  const part = (limit: number): number => {
    const kept = limit > idle.length ? idle.length : 0;
    if (isIdle) return kept === 0 ? 0 : 1;
    const shared = limit - kept;
    return Math.floor((shared * (i + 1)) / seats) - Math.floor((shared * i) / seats);
  };
  const paced = (limit: number): number =>
    limit * (isIdle ? trickle / idle.length : (idle.length === 0 ? 1 : 1 - trickle) / seats);
  return {
    calls: maxConcurrency === undefined ? bounds.maxConcurrency : Math.min(bounds.maxConcurrency, part(maxConcurrency)),
    perSecond: rate === undefined ? Number.POSITIVE_INFINITY : paced(perSecondOf(rate)),
    unitsPerSecond: units === undefined ? Number.POSITIVE_INFINITY : paced(perSecondOf(units)),
  };
}

/** A table that others may still use, and for how long that can be. */
interface OldTable extends LimitTable {
  readonly agedMs: number;
}

/**
 * What seat `i` may do now: its share of the new table at once where that takes nothing from another seat; else the least of its shares
 * in all tables that others may still act on, until they must have seen the new one, and until calls that began before have ended.
 */
export function shareOf(
  control: { readonly table: LimitTable; readonly before: readonly OldTable[] },
  i: number,
  at: { readonly sinceSeenMs: number; readonly timeoutMs: number },
): Share {
  const { table, before } = control;
  const share = shareIn(table, i);
  const others = before.filter(
    (old) => at.sinceSeenMs < settledMs(old, table, at.timeoutMs) && takesFromKnown(table, old),
  );
  return others.map((old) => shareIn(old, i)).reduce(least, share);
}

/** Asked for at every start, and the same for as long as a control holds. */
const known = new WeakMap<LimitTable, WeakMap<LimitTable, boolean>>();

function takesFromKnown(table: LimitTable, old: LimitTable): boolean {
  const answers = known.get(table) ?? new WeakMap<LimitTable, boolean>();
  known.set(table, answers);
  const answer = answers.get(old) ?? takesFrom(table, old);
  answers.set(old, answer);
  return answer;
}

/** Whether some seat had more in the old table than it has in the new one: then another's gain must wait. */
function takesFrom(table: LimitTable, old: LimitTable): boolean {
  const seats = Math.max(table.seats, old.seats);
  for (let i = 0; i < seats; i++) {
    const now = shareIn(table, i);
    const then = shareIn(old, i);
    if (then.calls > now.calls || then.perSecond > now.perSecond || then.unitsPerSecond > now.unitsPerSecond)
      return true;
  }
  return false;
}

function settledMs(old: OldTable, table: LimitTable, timeoutMs: number): number {
  const callsMove = old.limits.maxConcurrency !== undefined || table.limits.maxConcurrency !== undefined;
  return bounds.raiseAfterMs + (callsMove ? timeoutMs : 0) - old.agedMs;
}

const least = (a: Share, b: Share): Share => ({
  calls: Math.min(a.calls, b.calls),
  perSecond: Math.min(a.perSecond, b.perSecond),
  unitsPerSecond: Math.min(a.unitsPerSecond, b.unitsPerSecond),
});
