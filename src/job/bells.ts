import type { Control } from '../format/control.ts';
import type { SeatNote } from '../format/seat.ts';

/** A seat as a turn sees it. */
export interface SeatView {
  readonly note: SeatNote;
  /** Nobody can hold it any more. */
  readonly isFree: boolean;
  /** Milliseconds in which nothing of it may start. @default 0 */
  readonly restMs?: number;
  /** For how long at most its last holder has been gone; absent where nobody has given it back. */
  readonly goneMs?: number;
}

/** What bells depend on. */
export interface Ringing {
  readonly control: Pick<Control, 'revision' | 'table'>;
  readonly seats: readonly SeatView[];
  /** Chunks below this one are given out. */
  readonly to: number;
  /** Nothing has moved for a time, or somebody asks: whoever may know of nothing to do looks again. */
  readonly all: boolean;
  readonly now: number;
  /** When each seat was last rung for, in milliseconds since the epoch. */
  readonly rung: Readonly<Record<string, number>>;
}

/** A bell is given this time before it is taken for lost. */
const againMs = 20_000;

/** Seats for which somebody is needed: free ones with something to do, for which no bell is on its way. */
export function bellsFor({ control, seats, to, all, now, rung }: Ringing): readonly number[] {
  const { revision, table } = control;
  const known = new Map(seats.map((view) => [view.note.seat, view]));
  const left = new Set(
    seats
      .filter(({ note }) => note.seat >= table.seats && hasDue(note, now))
      .map(({ note }) => note.seat % table.seats),
  );
  const needed: number[] = [];
  for (let seat = 0; seat < table.seats; seat++) {
    const view = known.get(seat);
    if (!all && isOnItsWay(rung[seat], view, now)) continue;
    if (view !== undefined && !view.isFree) continue;
    // A bell for the time of its next start is on its way.
    if (!all && (view?.restMs ?? 0) > 0) continue;
    const isIdle = table.idle?.includes(seat) === true;
    const isDone =
      isIdle || (view?.note.done !== undefined && view.note.done.revision === revision && view.note.done.to >= to);
    if (all || !isDone || left.has(seat) || (view !== undefined && hasDue(view.note, now))) needed.push(seat);
  }
  return needed;
}

/** Whether a bell of the seat may still find somebody: not one that was rung before its last holder went, who has heard it. */
function isOnItsWay(rungAt: number | undefined, view: SeatView | undefined, now: number): boolean {
  // An instant that lies ahead is that of a clock which was set.
  if (rungAt === undefined || rungAt > now || now - rungAt >= againMs) return false;
  return view?.goneMs === undefined || view.goneMs >= now - rungAt;
}

/** Seats that have nothing left to start of the chunks that are given out, while others have. */
export function idleSeats({ control, seats, to, all }: Omit<Ringing, 'now' | 'rung'>): readonly number[] {
  const { revision, table } = control;
  const isOver = ({ note, isFree }: SeatView): boolean =>
    !isFree && note.hand.length === 0 && note.status.isOver === true;
  const inHand = seats.filter((view) => !isOver(view) && (view.note.open.length > 0 || view.note.hand.length > 0));
  const needed = new Set(inHand.map(({ note }) => note.seat % table.seats));
  const idle = seats
    .filter((view) => (view.isFree || isOver(view)) && view.note.seat < table.seats && !needed.has(view.note.seat))
    .filter(({ note: { seat, done } }) => table.idle?.includes(seat) || (done?.revision === revision && done.to >= to))
    .map(({ note }) => note.seat);
  if (all) return [];
  // When all have nothing left, nothing needs to change any more.
  return idle.length === table.seats ? (table.idle ?? []) : idle;
}

const hasDue = ({ open, hand }: SeatNote, now: number): boolean =>
  open.length > 0 || hand.some(({ notBefore = 0 }) => notBefore <= now);
