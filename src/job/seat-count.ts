/** What a job's turn sees of one of its seats. */
export interface SeatLoad {
  /** Starts a second. */
  readonly perSecond: number;
  /** Its starts wait for the worker's own slots or loop, not for its share. */
  readonly saturated: boolean;
  /** What part of the worker's slots and loop it uses, 0 to 1. */
  readonly load: number;
}

/** How the number of seats came to be what it is. */
export interface SeatCount {
  readonly seats: number;
  /** When it last changed, in milliseconds since the epoch. */
  readonly changedAt: number;
  /** Since when no seat has been much loaded. */
  readonly calmSince?: number;
}

/** A change moves shares, and each move waits until everybody must have seen it: so they are rare. */
const changeEveryMs = 12_000;
/** Seats that carry less than this part of the limit, and are saturated, are too few. */
const carried = 0.97;
/** Room beyond what is needed now, so that the next change is not due at once. */
const headroom = 1.15;
/** Seats are too many when none was loaded above this for so long, and fewer than this part of them would do. */
const calmLoad = 0.65;
const calmMs = 45_000;
const shrinkTo = 0.7;

/** How many seats a job has from now on: more when those there are cannot carry the limit, fewer when they idle. */
export function nextSeatCount(
  before: SeatCount,
  seen: {
    /** Starts a second that the limits allow. */
    readonly limitPerSecond: number;
    readonly loads: readonly SeatLoad[];
    readonly workers: number;
    readonly now: number;
  },
): SeatCount {
  const { limitPerSecond, loads, workers, now } = seen;
  const calm = loads.length > 0 && loads.every(({ load }) => load <= calmLoad);
  const calmSince = calm ? (before.calmSince ?? now) : undefined;
  const { seats: had, changedAt } = before;
  const same: SeatCount = { seats: had, changedAt, ...(calmSince === undefined ? {} : { calmSince }) };
  if (now - changedAt < changeEveryMs) return same;
  const wanted = wantedSeats(same, { limitPerSecond, loads, now });
  const seats = Math.max(1, Math.min(workers, wanted));
  return seats === had ? same : { seats, changedAt: now };
}

function wantedSeats(
  { seats, calmSince }: SeatCount,
  seen: { readonly limitPerSecond: number; readonly loads: readonly SeatLoad[]; readonly now: number },
): number {
  const { limitPerSecond, loads, now } = seen;
  const perSecond = loads.reduce((sum, load) => sum + load.perSecond, 0);
  const isShort = loads.some(({ saturated }) => saturated) && perSecond < carried * limitPerSecond;
  if (isShort && perSecond > 0) return Math.ceil((seats * limitPerSecond * headroom) / perSecond);
  if (calmSince === undefined || now - calmSince < calmMs) return seats;
  const busiest = Math.max(...loads.map(({ load }) => load));
  const enough = Math.ceil((seats * busiest * headroom) / calmLoad);
  return enough <= shrinkTo * seats ? enough : seats;
}
