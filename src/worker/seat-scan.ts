import { lastTick, readTable, settledInPart } from '../folder/read.ts';
import { readSeats, type StoredSeat } from '../folder/seats.ts';
import type { WorkMessage } from '../format/message.ts';
import { firstChunkOf } from '../format/parts.ts';
import { type ChunkPlace, type JobFolder, partSegmentsPrefix, segmentInPart } from '../format/paths.ts';
import type { TickRecord } from '../format/tick.ts';
import { workMessage } from '../format/work-message.ts';
import type { ObjectStore } from '../ports.ts';

/** Whose chunks are looked for. */
export interface ScanOf {
  readonly job: JobFolder;
  readonly seat: number;
  /** Seats of the table that holds now: chunk c belongs to seat c mod `seats`. */
  readonly seats: number;
  /** The control's revision since which that holds. */
  readonly dealtSince: number;
  /** How often unsettled chunks have been given out anew. */
  readonly generation: number;
  /** What this holder has itself, by {@link placeName}. */
  readonly own: (place: string) => boolean;
}

export const placeName = ({ part, chunk }: ChunkPlace): string => `${part}/${chunk}`;

/** Goes through the chunks of one seat in order, and gives those that have no result and are in no other holder's note. */
export class SeatScan {
  readonly of: ScanOf;
  readonly #store: ObjectStore;
  readonly #messages: AsyncGenerator<WorkMessage, number>;
  /** What all seats have in hand: read first, since what is in a note now has a result by the time that it is in none. */
  readonly notes: Promise<readonly StoredSeat[]>;
  readonly #record: Promise<TickRecord | undefined>;
  /** Chunks below this one were looked at; undefined while the scan goes on. */
  doneTo: number | undefined;

  constructor(store: ObjectStore, of: ScanOf) {
    this.of = of;
    this.#store = store;
    this.notes = readSeats(store, of.job);
    this.#record = lastTick(store, of.job);
    // Whoever awaits them hears of a failure.
    for (const read of [this.notes, this.#record]) read.catch(() => undefined);
    this.#messages = this.#walk();
  }

  /** The next chunk to begin; undefined when there is none any more of those that are given out now. */
  async next(): Promise<WorkMessage | undefined> {
    const next = await this.#messages.next();
    if (next.done !== true) return next.value;
    this.doneTo ??= next.value;
    return undefined;
  }

  async *#walk(): AsyncGenerator<WorkMessage, number> {
    const { job, seat, seats, generation, own } = this.of;
    const others = othersOf(await this.notes, seat);
    const record = await this.#record;
    if (record === undefined) return 0;
    const { parts } = record.cut;
    const [, to] = record.send;
    for (let part = record.settledParts; part < parts.length; part++) {
      const first = firstChunkOf(parts, part);
      if (first >= to) break;
      const [settled, segments, table] = await Promise.all([
        settledInPart(this.#store, job, part).then((chunks) => new Set(chunks)),
        this.#store.list(partSegmentsPrefix(job, part)),
        readTable(this.#store, job, part),
      ]);
      // Who began them has died without a note.
      const begun = new Set(segments.map((key) => segmentInPart(key).chunk));
      const chunks = table?.chunks ?? [];
      for (const [chunk, bounds] of chunks.entries()) {
        const name = placeName({ part, chunk });
        const isMine = first + chunk < to && (first + chunk) % seats === seat;
        if (!isMine || settled.has(chunk) || others.has(name) || own(name)) continue;
        const message = workMessage(job, { part, chunk, bounds }, generation);
        yield begun.has(chunk) ? { ...message, again: true } : message;
      }
    }
    return to;
  }
}

/** What stands in the notes of all other seats. */
function othersOf(notes: readonly StoredSeat[], seat: number): ReadonlySet<string> {
  const places = notes
    .filter(({ note }) => note.seat !== seat)
    .flatMap(({ note }) => [...note.open, ...note.hand].map(placeName));
  return new Set(places);
}
