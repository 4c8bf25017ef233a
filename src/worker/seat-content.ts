import type { SeatDrain, SeatLoad, SeatNote } from '../format/seat.ts';
import type { HeldChunks } from './held-chunks.ts';
import type { RunningJob } from './running-job.ts';
import type { SeatContent } from './seat-lease.ts';

/** How a seat stands at one moment. */
interface SeatState {
  readonly now: number;
  readonly chunks: HeldChunks;
  readonly done: SeatNote['done'];
  readonly drain: SeatDrain | undefined;
  readonly isOver: boolean;
}

/** What a holder writes into its seat's note. */
export function contentOf({ gate, pace, running }: RunningJob, seat: SeatState): SeatContent {
  const { now, chunks, done, drain, isOver } = seat;
  const brakedTo = gate.brakedTo(now);
  const { load } = pace.meter;
  const among = Math.max(1, pace.seats.size);
  return {
    open: [...chunks.open],
    hand: [...chunks.hand],
    ...(done === undefined ? {} : { done }),
    debt: { ...gate.debt(now), at: now },
    ...(drain === undefined ? {} : { drain }),
    status: {
      running: running / among,
      ...(isOver ? { isOver: true } : {}),
      // A pace over what the limits allow slows nothing down.
      ...(Number.isFinite(brakedTo) && (pace.seats.size === 0 || brakedTo < gate.share.perSecond)
        ? { brakedTo: brakedTo / among }
        : {}),
      ...(load === undefined ? {} : { load: partOf(load, among) }),
    },
  };
}

/** What one of the seats that are held in one worker carries. */
const partOf = (load: SeatLoad, seats: number): SeatLoad => ({
  ...load,
  perSecond: load.perSecond / seats,
  unitsPerSecond: load.unitsPerSecond / seats,
});
