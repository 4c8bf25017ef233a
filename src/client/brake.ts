import { mapBounded } from '../concurrency.ts';
import { ageMs, readSeat, type StoredSeat } from '../folder/seats.ts';
import { brakeFormat } from '../format/brake.ts';
import { brakesPrefix, type JobRef } from '../format/paths.ts';
import type { LimitTable } from '../format/share.ts';
import type { ObjectStore } from '../ports.ts';
import { needsSeats } from '../task/job-limits.ts';

/** Seats that a look reads; the first ones are held for as long as the job has work. */
const seatsRead = 20;

/** Starts a second to which refusals have brought a job, as its workers last said; undefined when nothing slows it down. */
export async function readBrake(
  store: ObjectStore,
  job: JobRef,
  { table, refusals }: { readonly table: LimitTable; readonly refusals: number },
): Promise<number | undefined> {
  if (!needsSeats(table.limits)) return refusals === 0 ? undefined : readBrakes(store, job);
  const seats = Array.from({ length: Math.min(seatsRead, table.seats) }, (_, seat) => seat);
  const stored = await mapBounded(seats, seatsRead, (seat) => readSeat(store, job, seat));
  return brakeOf(stored.filter((seat) => seat !== undefined));
}

/** The same of a job without limits, by the notes of its workers. */
async function readBrakes(store: ObjectStore, job: JobRef): Promise<number | undefined> {
  const keys = await store.list(brakesPrefix(job));
  const objects = await mapBounded(keys, seatsRead, (key) => store.get(key));
  return sumOf(
    objects.flatMap((object) => {
      if (object === undefined) return [];
      const { perSecond, forMs } = brakeFormat.parse(object.body);
      return perSecond !== undefined && ageMs(object) <= forMs ? [perSecond] : [];
    }),
  );
}

const sumOf = (paces: readonly number[]): number | undefined =>
  paces.length === 0 ? undefined : paces.reduce((sum, pace) => sum + pace, 0);

/** The same of seats that were read. */
export function brakeOf(stored: readonly StoredSeat[]): number | undefined {
  const held = stored.filter(({ note, freeInMs }) => note.phase === 'held' && freeInMs > 0);
  return sumOf(held.flatMap(({ note }) => note.status.brakedTo ?? []));
}
