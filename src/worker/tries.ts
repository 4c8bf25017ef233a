/**
 * Workers of one job try more at the same times, and are quiet at the same times, by the clock of each: who alone tried more would be refused
 * as often as all the others, and could not tell a limit from calls that are refused whatever the pace is. Clocks that differ by a second
 * or two only make it less clear; nothing else rests on them.
 */
const roundMs = 16_000;
const quietMs = 8_000;
/** What was begun before has been answered by then. */
const settledMs = 2_000;

/** Whether nobody tries more at this time. */
export const isQuiet = (now: number): boolean => now % roundMs < quietMs;

/** The same where it has been so for a while. */
export const isQuietForSome = (now: number): boolean => isQuiet(now) && now % roundMs >= settledMs;

/** Milliseconds of a time in which more is tried. */
export const tryMs = (from: number, to: number): number => triedBy(to) - triedBy(from);

const triedBy = (now: number): number =>
  Math.floor(now / roundMs) * (roundMs - quietMs) + Math.max(0, (now % roundMs) - quietMs);
