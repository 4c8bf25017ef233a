import { type LimitTable, seatsAtWork, shareIn } from '../format/share.ts';
import type { SeatView } from './bells.ts';

/**
 * The pace of each seat when the seats at work change, where refusals slow a job down: what those were brought to who leave is taken of
 * those who stay. Undefined where nothing slows it down, or what a seat does is not known.
 */
export function brakeAmong(
  seats: readonly SeatView[],
  before: LimitTable,
  after: Pick<LimitTable, 'seats' | 'idle'>,
): number | undefined {
  const { idle = [] } = before;
  const notes = seats.map(({ note }) => note).filter(({ seat }) => seat < before.seats && !idle.includes(seat));
  if (notes.length < seatsAtWork(before) || notes.every(({ status }) => status.brakedTo === undefined))
    return undefined;
  const paces = notes
    // One that nothing slows down does what it may.
    .map(({ seat, status }) =>
      Math.min(status.brakedTo ?? status.load?.perSecond ?? Number.NaN, shareIn(before, seat).perSecond),
    );
  const sum = paces.reduce((total, pace) => total + pace, 0);
  return Number.isFinite(sum) ? sum / seatsAtWork(after) : undefined;
}
