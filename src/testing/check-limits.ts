import type { CallEvent, LifeEvent } from './history.ts';
import type { Violation } from './violation.ts';

/** What held for a job from an instant on: somebody started, tuned, paused, or resumed it. */
export interface LimitsFrom {
  /** Milliseconds since the epoch when the write stood. */
  readonly at: number;
  readonly paused?: boolean;
  /** Calls at once. @default unlimited */
  readonly maxConcurrency?: number;
  /** Starts a second. @default unlimited */
  readonly perSecond?: number;
  /** Workers that share the limits, at most. @default 1 */
  readonly seats?: number;
}

/** A run, as far as its limits are judged. */
export interface LimitedRun {
  readonly calls: readonly CallEvent[];
  readonly lives: readonly LifeEvent[];
  /** In order; the first one holds from the start. */
  readonly limits: readonly LimitsFrom[];
}

/** Everybody obeys a lowered limit, and a pause, within this time. */
const obeyedMs = 3_000;
/** A rate may be exceeded by this part, and by this many starts a seat and one. */
const rateTolerance = 1.02;
const startsASeat = 2;

/**
 * Holds a run to its limits, call by call: never more calls at once than asked, in no second more than 1.02 × rate + 2 a seat + 1,
 * and nothing 3 s after a pause. What began under a limit that was lowered later ends by itself and is not counted against the new one.
 */
export function checkLimits(run: LimitedRun): readonly Violation[] {
  return [...overlaps(run), ...bursts(run), ...startsInPauses(run)];
}

function overlaps({ calls, lives, limits }: LimitedRun): Violation[] {
  const found: Violation[] = [];
  const starts = calls.toSorted((a, b) => a.startedAt - b.startedAt);
  let running: CallEvent[] = [];
  for (const call of starts) {
    const now = call.startedAt;
    running = running.filter((other) => endOf(other, lives) > now);
    running.push(call);
    const most = highest(limits, now - obeyedMs, now, ({ maxConcurrency }) => maxConcurrency);
    const from = countedFrom(limits, now, ({ maxConcurrency }) => maxConcurrency);
    const counted = running.filter(({ startedAt }) => startedAt >= from).length;
    if (counted > most) found.push({ rule: 'calls at once', what: `${counted} of ${most} at ${now}` });
  }
  return found;
}

function bursts({ calls, limits }: LimitedRun): Violation[] {
  const found: Violation[] = [];
  const starts = calls.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  let first = 0;
  for (const [n, now] of starts.entries()) {
    while ((starts[first] ?? now) <= now - 1_000) first++;
    const window = [now - 1_000 - obeyedMs, now] as const;
    const perSecond = highest(limits, ...window, (table) => table.perSecond);
    const seats = highest(limits, ...window, ({ seats: among = 1 }) => among);
    const most = rateTolerance * perSecond + startsASeat * seats + 1;
    const count = n - first + 1;
    if (count > most) found.push({ rule: 'starts a second', what: `${count} of ${most.toFixed(1)} until ${now}` });
  }
  return found;
}

function startsInPauses({ calls, limits }: LimitedRun): Violation[] {
  return calls
    .filter(({ startedAt }) => inForce(limits, startedAt - obeyedMs, startedAt).every(({ paused }) => paused === true))
    .map(({ startedAt, index }) => ({ rule: 'nothing starts in a pause', what: `item ${index} at ${startedAt}` }));
}

/** Limits that held at some instant from `from` to `to`, both inclusive. */
function inForce(limits: readonly LimitsFrom[], from: number, to: number): readonly LimitsFrom[] {
  return limits.filter(({ at }, n) => at <= to && (limits[n + 1]?.at ?? Number.POSITIVE_INFINITY) >= from);
}

function highest(
  limits: readonly LimitsFrom[],
  from: number,
  to: number,
  of: (limits: LimitsFrom) => number | undefined,
): number {
  return Math.max(...inForce(limits, from, to).map((table) => of(table) ?? Number.POSITIVE_INFINITY));
}

/** Since when calls count: those that began before the last lowering was obeyed end by themselves. */
function countedFrom(
  limits: readonly LimitsFrom[],
  now: number,
  of: (limits: LimitsFrom) => number | undefined,
): number {
  let from = Number.NEGATIVE_INFINITY;
  for (const [n, table] of limits.entries()) {
    const before = limits[n - 1];
    if (before === undefined || table.at + obeyedMs > now) continue;
    const [had, has] = [of(before) ?? Number.POSITIVE_INFINITY, of(table) ?? Number.POSITIVE_INFINITY];
    if (has < had) from = table.at + obeyedMs;
  }
  return from;
}

/** When a call was over for its job: it ended, or its process died with it. */
function endOf({ endedAt, life }: CallEvent, lives: readonly LifeEvent[]): number {
  return endedAt ?? lives.find(({ id }) => id === life)?.killedAt ?? Number.POSITIVE_INFINITY;
}
