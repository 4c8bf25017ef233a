import { readSeat, type StoredSeat } from '../folder/seats.ts';
import { type JobFolder, seatKey } from '../format/paths.ts';
import { seatFormat } from '../format/seat.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldChunks } from './held-chunks.ts';
import { inheritance } from './seat-lease.ts';
import { placeName } from './seat-scan.ts';

/** Who takes over. */
interface Heir {
  readonly job: JobFolder;
  readonly seat: number;
  /** Seats of the table that holds now. */
  readonly seats: number;
  readonly chunks: HeldChunks;
  /** Of all seats. */
  readonly notes: readonly StoredSeat[];
  /** Writes the heir's note; resolves to whether it stands. */
  readonly write: () => Promise<boolean>;
}

/**
 * Takes over what seats that are no more have in hand. It stands in the heir's note before it is taken out of the other one, so that at
 * each moment everybody sees that somebody has it.
 */
export async function adoptHands(
  { store, writer }: Pick<WorkerDeps, 'store' | 'writer'>,
  { job, seat, seats, chunks, notes, write }: Heir,
): Promise<void> {
  for (const { note, etag, freeInMs } of notes) {
    const left = inheritance(note);
    const isMine = note.seat >= seats && note.seat % seats === seat;
    if (!isMine || freeInMs > 0 || left.length === 0) continue;
    const taken = left.filter((message) => !chunks.has(placeName(message)));
    chunks.inherit(taken);
    if (!(await write())) {
      chunks.letGo(taken);
      throw new Error(`the note of seat ${seat} was not written`);
    }
    const emptied = { ...note, writer, phase: 'released' as const, open: [], hand: [], writes: note.writes + 1 };
    const condition = { ifMatch: etag };
    const won = await store.put(seatKey(job, note.seat), seatFormat.encode(emptied), { condition });
    if (won !== undefined) continue;
    // Another was faster, unless it was this very write whose answer was lost.
    const stands = (await readSeat(store, job, note.seat))?.note;
    if (stands?.writer !== writer || stands.writes !== emptied.writes) chunks.letGo(taken);
  }
}
