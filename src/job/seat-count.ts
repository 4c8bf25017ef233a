import type { SeatLoad, SeatStatus } from '../format/seat.ts';
import { limits as bounds } from '../limits.ts';
import type { JobLimits } from '../task/job-limits.ts';
import { perSecondOf } from '../task/rate.ts';

/** How the number of seats came to be what it is. */
export interface SeatCount {
  readonly seats: number;
  /** When it last changed, in milliseconds since the epoch. */
  readonly changedAt: number;
  /** Since when no seat has been much loaded. */
  readonly calmSince?: number;
}

/** What a turn sees of the seats. */
export interface SeatsSeen {
  readonly limits: JobLimits;
  /** What the holders say: one for each seat that is held. */
  readonly held: readonly SeatStatus[];
  readonly workers: number;
  /** Chunks that are not settled: a seat without one is of no use. */
  readonly chunksLeft: number;
  /** How long they last at the pace since the last turn, in milliseconds; infinite where nothing settled since, which tells of no pace. */
  readonly leftMs: number;
  readonly now: number;
}

/** A change moves shares, and each move waits until everybody must have seen it: so they are rare. */
const changeEveryMs = 12_000;
/** Seats that carry less than this part of the limit, and are saturated, are too few. */
const carried = 0.97;
/** Room beyond what is needed now, so that the next change is not due at once. */
const headroom = 1.15;
/** What was measured over some seconds may be a gap: there are at most twice as many. */
const growth = 2;
/** Seats whose loops compute all the time carry what they can: nobody knows what they would carry, so there are to be half as many more. */
const loopGrowth = 1.5;
/** Seats are too many when none was loaded above this for so long, and fewer than this part of them would do. */
const calmLoad = 0.65;
const calmMs = 45_000;
const shrinkTo = 0.7;
/** A job that ends sooner would lose more by the time until shares have moved than fewer workers save. */
const worthMs = 60_000;

/** How many seats a job has from now on: more when those there are cannot carry the limit, fewer when they idle. */
export function nextSeatCount(before: SeatCount, seen: SeatsSeen): SeatCount {
  const { now, held } = seen;
  const { seats: had } = before;
  const loads = held.map(({ load }) => load).filter((load) => load !== undefined);
  // Who has not been measured yet, or is not there, may carry more in a moment.
  const isKnown = loads.length >= had;
  const isCalm = isKnown && loads.every((load) => loadOf(load) <= calmLoad);
  // An instant that lies ahead is that of a clock which was set.
  const changedAt = Math.min(before.changedAt, now);
  const calmSince = isCalm ? Math.min(before.calmSince ?? now, now) : undefined;
  const same: SeatCount = { seats: had, changedAt, ...(calmSince === undefined ? {} : { calmSince }) };
  if (!isKnown || now - changedAt < changeEveryMs) return same;
  const { least, most } = boundsOf(seen, had);
  const seats = Math.max(least, Math.min(most, wantedSeats(same, seen, loads)));
  return seats === had ? same : { seats, changedAt: now };
}

function wantedSeats({ seats, calmSince }: SeatCount, seen: SeatsSeen, loads: readonly SeatLoad[]): number {
  const isBusy = loads.some(({ loop }) => loop >= bounds.busyLoop);
  const used = usedPart(seen, loads, isBusy);
  if (used === undefined && isBusy) return Math.ceil(seats * loopGrowth);
  const isShort = (isBusy || loads.some(({ heldUp }) => heldUp)) && used !== undefined && used < carried;
  if (isShort && used > 0) return Math.min(growth * seats, Math.ceil((seats * headroom) / used));
  if (calmSince === undefined || seen.now - calmSince < calmMs || !isWorth(seen.leftMs)) return seats;
  const busiest = Math.max(...loads.map(loadOf));
  const enough = Math.ceil((seats * busiest * headroom) / calmLoad);
  return enough <= shrinkTo * seats ? enough : seats;
}

/** Turns of a job that ends come often, and between two of them nothing may have settled: then another one decides. */
const isWorth = (leftMs: number): boolean => leftMs >= worthMs && Number.isFinite(leftMs);

/** What part of its closest limit the job uses. Calls that stand in line for a loop which computes use nothing. */
function usedPart({ limits, held }: SeatsSeen, loads: readonly SeatLoad[], isBusy: boolean): number | undefined {
  const { rate, units, maxConcurrency } = limits;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const parts = [
    ...(rate === undefined ? [] : [sum(loads.map(({ perSecond }) => perSecond)) / perSecondOf(rate)]),
    ...(units === undefined ? [] : [sum(loads.map(({ unitsPerSecond }) => unitsPerSecond)) / perSecondOf(units)]),
    ...(maxConcurrency === undefined || isBusy ? [] : [sum(held.map(({ running }) => running)) / maxConcurrency]),
  ];
  return parts.length === 0 ? undefined : Math.max(...parts);
}

/** A seat holds no more calls than a worker, and is of use only with a call and a chunk of its own. */
function boundsOf({ limits, workers, chunksLeft }: SeatsSeen, had: number) {
  const { maxConcurrency } = limits;
  const most = Math.min(workers, maxConcurrency ?? workers, Math.max(had, chunksLeft));
  const least = maxConcurrency === undefined ? 1 : Math.ceil(maxConcurrency / bounds.maxConcurrency);
  return { most: Math.max(1, most), least: Math.max(1, Math.min(workers, least)) };
}

const loadOf = ({ slots, loop }: SeatLoad): number => Math.max(slots, loop);
