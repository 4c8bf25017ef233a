import type { SeatNote } from '../format/seat.ts';
import { limits as bounds } from '../limits.ts';
import type { JobLimits } from '../task/job-limits.ts';
import { unrungSeats } from './check-bells.ts';
import { isLimited, oversharings, type SeatedRun, staleStarts, tablesOf } from './check-shares.ts';
import { type History, placeName } from './history.ts';
import type { Violation } from './violation.ts';

/** What the calls of a limited job, its seats, and what people want of it are held to. */
export function checkSeats(run: SeatedRun): readonly Violation[] {
  return [
    ...startsWithoutSeat(run),
    ...rivals(run.history),
    ...sharedChunks(run.history),
    ...takenTooEarly(run),
    ...staleStarts(run),
    ...oversharings(run),
    ...unrungSeats(run),
    ...overwritten(run.history, run.limits),
  ];
}

/** A call starts only while its worker has a seat whose lease is not over, as the seat's note says in that moment. */
function startsWithoutSeat(run: SeatedRun): Violation[] {
  const { calls, lives, seats } = run.history;
  if (!isLimited(run)) return [];
  const found: Violation[] = [];
  const tables = tablesOf(run);
  // Under a seat beyond those of the table nothing starts: calls of a holder that has parted end there.
  const seatsAt = (now: number): number =>
    Math.max(
      ...tables
        .filter(
          ({ at }, n) => at <= now && (tables[n + 1]?.at ?? Number.POSITIVE_INFINITY) >= now - bounds.raiseAfterMs,
        )
        .map(({ table }) => table.seats),
    );
  const current = new Map<number, { readonly at: number; readonly note: SeatNote }>();
  let next = 0;
  for (const { startedAt, life, index } of calls.toSorted((a, b) => a.startedAt - b.startedAt)) {
    for (let seen = seats[next]; seen !== undefined && seen.at <= startedAt; seen = seats[++next])
      current.set(seen.note.seat, seen);
    if (lives[life]?.role !== 'worker') continue;
    const among = seatsAt(startedAt);
    const isHolder = [...current.values()].some(
      ({ at, note }) =>
        note.writer === `w${life}` && note.seat < among && note.phase === 'held' && startedAt - at < note.leaseMs,
    );
    if (!isHolder) found.push({ rule: 'calls start under a seat', what: `item ${index} at ${startedAt} in ${life}` });
  }
  return found;
}

/** A seat has one holder: nobody takes it before it was given back or its lease is over, and of two who try only one has it. */
function rivals({ seats }: History): Violation[] {
  const found: Violation[] = [];
  const current = new Map<number, { readonly at: number; readonly note: SeatNote }>();
  for (const { at, note } of seats) {
    const before = current.get(note.seat);
    current.set(note.seat, { at, note });
    if (note.phase !== 'held' || before === undefined || before.note.writer === note.writer) continue;
    const isNext = note.epoch === before.note.epoch + 1;
    const isFree = before.note.phase === 'released' || at - before.at >= before.note.leaseMs;
    if (!isNext || !isFree)
      found.push({ rule: 'a seat has one holder', what: `${note.writer} takes it of ${before.note.writer} at ${at}` });
  }
  return found;
}

/** A chunk is begun under one seat at a time. Who parts from a seat has it in two notes for a moment, and for good where it dies then. */
function sharedChunks({ seats }: History): Violation[] {
  const found: Violation[] = [];
  const current = new Map<number, SeatNote>();
  const holders = new Map<number, Set<string>>();
  for (const { at, note } of seats) {
    current.set(note.seat, note);
    const had = holders.get(note.seat) ?? new Set();
    holders.set(note.seat, had.add(note.writer));
    const places = note.open.map(placeName);
    for (const other of current.values()) {
      if (other === note || had.has(other.writer)) continue;
      const both = other.open.map(placeName).filter((place) => places.includes(place));
      if (both.length > 0) found.push({ rule: 'a chunk is begun under one seat', what: `${both[0]} at ${at}` });
    }
  }
  return found;
}

/** Between the choice of a chunk and the note that tells of it lies at most this time; the longer one where S3 is slow. */
const noteMs = 500;
const slowNoteMs = 15_000;

/** A chunk that a change of the table gives to another seat is begun there only when everybody must have seen the change. */
function takenTooEarly(run: SeatedRun): Violation[] {
  if (!isLimited(run)) return [];
  const tables = tablesOf(run);
  const numbers = new Map(run.bounds.map(({ place }, number) => [place, number]));
  const known = new Set<string>();
  const found: Violation[] = [];
  const lateMs = run.history.faults.some(({ kind }) => kind.startsWith('s3')) ? slowNoteMs : noteMs;
  for (const { at, note } of run.history.seats) {
    const begun = note.open.map(placeName).filter((place) => !known.has(place));
    for (const place of [...note.open, ...note.hand].map(placeName)) known.add(place);
    const last = tables.findLastIndex((table) => table.at <= at);
    const isOwner = (n: number, place: string): boolean =>
      (numbers.get(place) ?? 0) % (tables[n]?.table.seats ?? 1) === note.seat;
    for (const place of begun) {
      // Since when, without a break, it has been this seat's.
      let since = last;
      while (since > 0 && isOwner(since, place) && isOwner(since - 1, place)) since--;
      const from = tables[since]?.at ?? 0;
      // A note that came late tells of what was chosen while the chunk was its seat's by an earlier table.
      const wasOwner = tables.some(
        (_table, n) => n < since && isOwner(n, place) && (tables[n + 1]?.at ?? 0) > at - lateMs,
      );
      if (since > 0 && !wasOwner && isOwner(last, place) && at - from < bounds.raiseAfterMs)
        found.push({
          rule: 'a chunk of another seat waits until all know',
          what: `${place} at ${at}, ${at - from} ms after`,
        });
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
