import { mapBounded } from '../concurrency.ts';
import { type JobRef, seatKey, seatsPrefix } from '../format/paths.ts';
import { type SeatNote, seatFormat } from '../format/seat.ts';
import type { ObjectStore, StoredObject } from '../ports.ts';

/** A seat as it stands in S3. */
export interface StoredSeat {
  readonly note: SeatNote;
  readonly etag: string;
  /** Milliseconds until its holder's lease is over for certain; 0 where anybody may take it. */
  readonly freeInMs: number;
  /** How long ago the note was written, to the second; too young where S3 does not say. */
  readonly ageMs: number;
}

/** A claimant waits longer than the holder counts: for whole seconds of S3's clock, and a second between its front ends. */
const marginMs = 2_000;
/** Notes that are read at once. */
const parallel = 32;

/** Reads a seat; undefined where nobody has ever taken it. */
export async function readSeat(store: ObjectStore, job: JobRef, seat: number): Promise<StoredSeat | undefined> {
  const object = await store.get(seatKey(job, seat));
  return object === undefined ? undefined : seatOf(object);
}

/** All seats of a job that were ever taken. */
export async function readSeats(store: ObjectStore, job: JobRef): Promise<readonly StoredSeat[]> {
  const keys = await store.list(seatsPrefix(job));
  const objects = await mapBounded(keys, parallel, (key) => store.get(key));
  return objects.filter((object) => object !== undefined).map(seatOf);
}

function seatOf(object: StoredObject): StoredSeat {
  const note = seatFormat.parse(object.body);
  const { etag } = object;
  const age = ageMs(object);
  return {
    note,
    etag,
    ageMs: age,
    freeInMs: note.phase === 'released' ? 0 : Math.max(0, note.leaseMs + marginMs - age),
  };
}

/** How long ago an object was written, by S3's own clock: no other is compared with it. New where S3 does not say. */
export function ageMs({ modifiedAt, answeredAt }: StoredObject): number {
  return modifiedAt === undefined || answeredAt === undefined ? 0 : Math.max(0, answeredAt - modifiedAt);
}
