import { mapBounded } from '../concurrency.ts';
import { readSeat, type StoredSeat } from '../folder/seats.ts';
import type { JobRef } from '../format/paths.ts';
import type { LimitTable } from '../format/share.ts';
import type { ObjectStore } from '../ports.ts';
import { needsSeats } from '../task/job-limits.ts';

/** Seats that a look reads; the first ones are held for as long as the job has work. */
const seatsRead = 20;

/** Starts a second to which refusals have brought a limited job, as the holders of its seats last said; undefined when none slows it down. */
export async function readBrake(store: ObjectStore, job: JobRef, table: LimitTable): Promise<number | undefined> {
  if (!needsSeats(table.limits)) return undefined;
  const seats = Array.from({ length: Math.min(seatsRead, table.seats) }, (_, seat) => seat);
  const stored = await mapBounded(seats, seatsRead, (seat) => readSeat(store, job, seat));
  return brakeOf(stored.filter((seat) => seat !== undefined));
}

/** The same of seats that were read. */
export function brakeOf(stored: readonly StoredSeat[]): number | undefined {
  const braked = stored
    .filter(({ note, freeInMs }) => note.phase === 'held' && freeInMs > 0)
    .flatMap(({ note }) => note.status.brakedTo ?? []);
  return braked.length === 0 ? undefined : braked.reduce((sum, pace) => sum + pace, 0);
}
