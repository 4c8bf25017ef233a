import type { SeatNote } from '../format/seat.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { type History, placeName } from './history.ts';
import type { Violation } from './violation.ts';

/** What the calls of a limited job, its seats, and what people want of it are held to. */
export function checkSeats(history: History, limits: JobLimits): readonly Violation[] {
  return [...startsWithoutSeat(history, limits), ...sharedChunks(history), ...overwritten(history, limits)];
}

/** A call starts only while its worker has a seat whose lease is not over, as the seat's note says in that moment. */
function startsWithoutSeat({ calls, lives, seats, controls }: History, limits: JobLimits): Violation[] {
  if (![limits, ...controls.map(({ control }) => control.table.limits)].every(needsSeats)) return [];
  const found: Violation[] = [];
  const current = new Map<number, { readonly at: number; readonly note: SeatNote }>();
  let next = 0;
  for (const { startedAt, life, index } of calls.toSorted((a, b) => a.startedAt - b.startedAt)) {
    for (let seen = seats[next]; seen !== undefined && seen.at <= startedAt; seen = seats[++next])
      current.set(seen.note.seat, seen);
    if (lives[life]?.role !== 'worker') continue;
    const isHolder = [...current.values()].some(
      ({ at, note }) => note.writer === `w${life}` && note.phase === 'held' && startedAt - at < note.leaseMs,
    );
    if (!isHolder) found.push({ rule: 'calls start under a seat', what: `item ${index} at ${startedAt} in ${life}` });
  }
  return found;
}

/** A chunk is begun under one seat at a time. Whoever takes over what another seat has in hand may have it there for a moment as well. */
function sharedChunks({ seats }: History): Violation[] {
  const found: Violation[] = [];
  const current = new Map<number, SeatNote>();
  for (const { at, note } of seats) {
    current.set(note.seat, note);
    const places = note.open.map(placeName);
    for (const other of current.values()) {
      if (other === note) continue;
      const both = other.open.map(placeName).filter((place) => places.includes(place));
      if (both.length > 0) found.push({ rule: 'a chunk is begun under one seat', what: `${both[0]} at ${at}` });
    }
  }
  return found;
}

/** What people have asked for last is what the job's own writers leave. */
function overwritten({ controls }: History, limits: JobLimits): Violation[] {
  const found: Violation[] = [];
  let wanted = limits;
  for (const { at, control } of controls) {
    const { by, table } = control;
    if (!/^(turn|worker):/.test(by)) wanted = table.limits;
    else if (textOf(wanted) !== textOf(table.limits))
      found.push({ rule: "people's limits stay as they want them", what: `${by} at ${at}` });
  }
  return found;
}

const textOf = (limits: JobLimits): string => JSON.stringify(Object.entries(limits).toSorted());
