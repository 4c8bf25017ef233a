import { bellFor, encodeMessage } from '../format/message.ts';
import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldSeat } from './held-seat.ts';
import { persist } from './persist.ts';
import type { RunningJob } from './running-job.ts';

/** When a bell is to ring. */
interface RingOptions {
  readonly delaySeconds: number;
  /** Milliseconds since the epoch until which SQS is asked again. */
  readonly until: () => number;
}

/** Rings for the next holder of a seat that was given back, for the time when it has something to start; not where it has nothing. */
export async function ringNext(deps: WorkerDeps, seat: HeldSeat, until: () => number): Promise<void> {
  const { pace, cancelled, gate } = seat.job;
  const { nextAt } = seat;
  const isOver = cancelled.aborted || pace.isPaused || !pace.needsSeats;
  // The next holder is there, and looks what is left in the end.
  const hasNext = seat.isParting && seat.seat >= pace.control.table.seats;
  if (isOver || hasNext || (seat.isScanned && nextAt === undefined)) return;
  const now = deps.clock.now();
  const waitMs = seat.isScanned && nextAt !== undefined ? Math.max(0, nextAt - now) : 0;
  const restMs = Math.max(0, gate.restMs(now) - limits.parkLeadMs);
  const delaySeconds = Math.min(
    limits.maxDelaySeconds,
    Math.max(Math.ceil(waitMs / 1_000), restMs > limits.parkGapMs / 2 ? Math.floor(restMs / 1_000) : 0),
  );
  // What a seat that is no more has in hand goes on under another one.
  await ringSeat(deps, { job: seat.job, seat: seat.seat % pace.control.table.seats }, { delaySeconds, until });
}

/** Calls a worker to a seat. */
export function ringSeat(
  deps: WorkerDeps,
  { job: { folder }, seat }: { readonly job: RunningJob; readonly seat: number },
  { delaySeconds, until }: RingOptions,
): Promise<void> {
  return persist(deps, {
    what: 'nobody was called to a seat',
    fields: { jobId: folder.id, seat },
    act: () => deps.queue.send([encodeMessage(bellFor(folder, seat))], { group: folder.id, delaySeconds }),
    until,
  });
}
