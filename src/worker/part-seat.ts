import { readSeat } from '../folder/seats.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldChunks } from './held-chunks.ts';
import type { RunningJob } from './running-job.ts';
import { type SeatContent, SeatLease } from './seat-lease.ts';

/** A holder that has left its share. */
export interface Parted {
  /** The right to the seat beyond the table. */
  readonly lease: SeatLease;
  /** Calls under way, as both notes say. */
  readonly running: number;
}

/**
 * Leaves a seat's share to the next holder while calls under it are on their way. They, and the chunks that are begun, stand from then on
 * in the note of a seat beyond those of the table, under which nothing starts; the next holder starts as many fewer as that note says.
 *
 * @returns undefined where the seat is not free
 */
export async function partSeat(
  deps: WorkerDeps,
  from: {
    readonly job: RunningJob;
    readonly lease: SeatLease;
    readonly chunks: HeldChunks;
    readonly content: () => SeatContent;
  },
): Promise<Parted | undefined> {
  const { job, chunks } = from;
  const beyond = from.lease.seat + job.pace.control.table.seats;
  const stored = await readSeat(deps.store, job.folder, beyond);
  const claim = await SeatLease.take(deps, job.folder, { seat: beyond, stored, intervalMs: 0 });
  if (claim.kind === 'live') return undefined;
  const { lease } = claim;
  const { running } = job;
  const content = from.content();
  // In both notes for a moment, so that everybody sees at each one that somebody has it.
  if (!(await lease.write({ ...content, hand: [...lease.hand] }))) return undefined;
  const drain = { seat: beyond, running, ms: job.manifest.options.timeoutMs };
  if (!(await from.lease.write({ ...content, open: [], drain, status: { running: 0 } }, 'released'))) {
    // The chunks are this seat's still: nobody is to take them for those of a holder that died.
    await lease.write({ ...content, open: [], hand: [...lease.hand] }, 'released');
    return undefined;
  }
  chunks.exchange(content.hand, lease.hand);
  return { lease, running };
}
