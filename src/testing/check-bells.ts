import type { SeatNote } from '../format/seat.ts';
import { isLimited, type SeatedRun, tablesOf } from './check-shares.ts';
import { placeName } from './history.ts';
import type { Violation } from './violation.ts';

/** While all goes on by itself a turn comes after 60 s at most: whoever goes unheard is missed by then. */
const missedMs = 75_000;
/** A bell that nobody hears is rung again after 20 s, by a turn that is at most 15 s away, and takes a while. */
const againMs = 45_000;
/** Whoever gives a seat back rings for the next holder, once, within this time. */
const holdersMs = 1_000;
/** A claimant waits so much longer than a lease. */
const marginMs = 2_000;

/** A time in which a seat was free. */
interface Free {
  readonly from: number;
  readonly to: number;
  /** What its last holder has left. */
  readonly left: SeatNote | undefined;
}

/** Somebody is called to a seat that is free and has work, and called again when nobody has come. Judged where only messages of work are lost. */
export function unrungSeats(run: SeatedRun): Violation[] {
  const { history } = run;
  const isJudged = history.faults.every(({ kind }) => /^(lost-send|duplicate|deadline)$/.test(kind));
  if (!isLimited(run) || !isJudged) return [];
  const tables = tablesOf(run);
  const found: Violation[] = [];
  for (const [n, { at, state, table }] of tables.entries()) {
    if (state !== 'running') continue;
    const until = tables[n + 1]?.at ?? Number.POSITIVE_INFINITY;
    for (let seat = 0; seat < table.seats; seat++) {
      if (table.idle?.includes(seat) === true) continue;
      for (const free of freeTimes(run, seat)) {
        const [from, to] = [Math.max(at, free.from), Math.min(until, free.to)];
        if (to - from < againMs || !hasWork(run, { ...free, seat, seats: table.seats, from, to })) continue;
        const rung = history.bells.filter((bell) => bell.seat === seat && bell.at >= from && bell.at <= to);
        const moments = [from, ...rung.map((bell) => bell.at), to];
        const isMissed = moments.slice(1).some((bell, m) => {
          const before = moments[m] ?? 0;
          return bell - before > (before - from < holdersMs ? missedMs : againMs);
        });
        if (isMissed) found.push({ rule: 'somebody is called to a free seat', what: `${seat} from ${from} to ${to}` });
      }
    }
  }
  return found;
}

/** When nobody held a seat, and nothing kept its next start waiting. */
function freeTimes({ history: { seats, lives, stoodAt } }: SeatedRun, seat: number): readonly Free[] {
  const notes = seats.filter(({ note }) => note.seat === seat);
  const [first] = notes;
  // Just before the last of its chunks stands the job has work.
  const end = Math.max(...stoodAt.values()) - 1;
  // A job has been cut by then.
  const start = (lives[0]?.startedAt ?? 0) + 5_000;
  const times: Free[] = [{ from: start, to: first?.at ?? end, left: undefined }];
  for (const [n, { at, note }] of notes.entries()) {
    const to = notes[n + 1]?.at ?? end;
    const restMs = note.phase === 'released' ? Math.max(note.debt.callsMs, note.debt.unitsMs) : note.leaseMs + marginMs;
    // Whoever is called for a seat that is left without work has nothing to take it for.
    if (to > at + restMs) times.push({ from: at + restMs, to, left: note });
  }
  return times;
}

/** Whether a chunk stood unsettled all the time that is nobody else's. */
function hasWork(
  { history, bounds }: SeatedRun,
  at: Free & { readonly seat: number; readonly seats: number },
): boolean {
  const inOthers = new Set<string>();
  for (const { at: noted, note } of history.seats)
    if (note.seat !== at.seat && noted <= at.to)
      for (const one of [...note.open, ...note.hand]) inOthers.add(placeName(one));
  const waits = new Set((at.left?.hand ?? []).filter(({ notBefore = 0 }) => notBefore > at.from).map(placeName));
  return bounds.some(
    ({ place }, number) =>
      number % at.seats === at.seat &&
      !inOthers.has(place) &&
      !waits.has(place) &&
      (history.stoodAt.get(place) ?? Number.POSITIVE_INFINITY) > at.to,
  );
}
