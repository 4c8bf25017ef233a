import { tableOf } from '../folder/control.ts';
import type { Control } from '../format/control.ts';
import type { SeatNote } from '../format/seat.ts';
import { type LimitTable, type Share, shareIn, shareOf } from '../format/share.ts';
import { limits as bounds } from '../limits.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { perSecondOf } from '../task/rate.ts';
import type { History } from './history.ts';
import type { Violation } from './violation.ts';

/** A run of a limited job, as far as its seats are judged. */
export interface SeatedRun {
  readonly history: History;
  /** The chunks of the job in their order, as `part/chunk`. */
  readonly bounds: ReadonlyArray<{ readonly place: string }>;
  /** What it was started with. */
  readonly limits: JobLimits;
  readonly workers: number;
  readonly timeoutMs: number;
}

/** What held from an instant on: somebody wrote it. */
export interface WrittenTable {
  readonly at: number;
  readonly state: Control['state'];
  readonly table: LimitTable;
}

/** All that held in a run, in order. */
export function tablesOf({ history, limits, workers }: SeatedRun): readonly WrittenTable[] {
  const first = { at: 0, state: 'running', table: tableOf(limits, { workers, inline: false }) } as const;
  return [first, ...history.controls.map(({ at, control: { state, table } }) => ({ at, state, table }))];
}

/** Whether the job was limited all the time. */
export const isLimited = (run: SeatedRun): boolean => tablesOf(run).every(({ table }) => needsSeats(table.limits));

/** A call and the look before it are one turn of a loop apart. */
const sameMs = 50;

/** Nothing of a limited job starts in a worker that has not looked at what is wanted for 3 s. */
export function staleStarts(run: SeatedRun): Violation[] {
  const { calls, lives, looks } = run.history;
  if (!isLimited(run)) return [];
  const latest = new Map<number, number>();
  const found: Violation[] = [];
  let next = 0;
  const seen = looks.toSorted((a, b) => a.seenAt - b.seenAt);
  for (const { startedAt, life, index } of calls.toSorted((a, b) => a.startedAt - b.startedAt)) {
    for (let look = seen[next]; look !== undefined && look.seenAt <= startedAt; look = seen[++next])
      latest.set(look.life, Math.max(look.beganAt, latest.get(look.life) ?? 0));
    if (lives[life]?.role !== 'worker') continue;
    const ageMs = startedAt - (latest.get(life) ?? 0);
    if (ageMs > bounds.controlStaleMs + sameMs)
      found.push({ rule: 'calls start under a fresh control', what: `item ${index} at ${startedAt}, ${ageMs} ms old` });
  }
  return found;
}

/** What a process has seen last. */
interface Seen {
  beganAt: number;
  control: Control | undefined;
}

/** At no moment do the shares of all who hold a seat add up to more than what held within the last 3 s. */
export function oversharings(run: SeatedRun): Violation[] {
  const { history, timeoutMs } = run;
  if (!isLimited(run)) return [];
  const tables = tablesOf(run);
  const [first] = tables;
  const writtenAt = new Map(history.controls.map(({ at, control }) => [control.revision, at]));
  const notes = new Map<number, { readonly at: number; readonly note: SeatNote }>();
  const seen = new Map<string, Seen>();
  const found: Violation[] = [];
  const shareAt = (now: number, { at, note }: { readonly at: number; readonly note: SeatNote }): Share => {
    const { beganAt, control } = seen.get(note.writer) ?? { beganAt: Number.NEGATIVE_INFINITY, control: undefined };
    const isLive = note.phase === 'held' && now - at < note.leaseMs && now - beganAt <= bounds.controlStaleMs;
    if (!isLive || control?.state === 'paused' || first === undefined) return nothing;
    if (control === undefined) return shareIn(first.table, note.seat);
    const sinceSeenMs = now - (writtenAt.get(control.revision) ?? now);
    return shareOf(control, note.seat, { sinceSeenMs, timeoutMs });
  };
  for (const { at: now, apply } of eventsOf(history, { notes, seen })) {
    apply();
    const inForce = tables.filter(
      (one, n) => one.at <= now && (tables[n + 1]?.at ?? Number.POSITIVE_INFINITY) >= now - bounds.raiseAfterMs,
    );
    for (const { name, share, limit } of measures) {
      const most = Math.max(...inForce.map(({ table }) => limit(table.limits)));
      const sum = [...notes.values()].reduce((total, held) => total + share(shareAt(now, held)), 0);
      if (sum > most * 1.000_001)
        found.push({ rule: 'shares add up to the limit', what: `${sum} of ${most} ${name} at ${now}` });
    }
  }
  return found;
}

const nothing: Share = { calls: 0, perSecond: 0, unitsPerSecond: 0 };
const unlimited = Number.POSITIVE_INFINITY;
const paced = (rate: JobLimits['rate']): number => (rate === undefined ? unlimited : perSecondOf(rate));
const measures = [
  {
    name: 'calls at once',
    share: ({ calls }: Share) => calls,
    limit: ({ maxConcurrency = unlimited }: JobLimits) => maxConcurrency,
  },
  { name: 'a second', share: ({ perSecond }: Share) => perSecond, limit: ({ rate }: JobLimits) => paced(rate) },
  {
    name: 'units a second',
    share: ({ unitsPerSecond }: Share) => unitsPerSecond,
    limit: ({ units }: JobLimits) => paced(units),
  },
];

/** Moments at which somebody comes to have a share, or uses one. */
function eventsOf(
  { calls, looks, seats }: History,
  to: {
    readonly notes: Map<number, { readonly at: number; readonly note: SeatNote }>;
    readonly seen: Map<string, Seen>;
  },
) {
  const looked = looks.map(({ life, beganAt, seenAt, control }) => ({
    at: seenAt,
    apply: () => {
      const known = to.seen.get(`w${life}`);
      const isNewer = (control?.revision ?? 0) >= (known?.control?.revision ?? 0);
      to.seen.set(`w${life}`, {
        beganAt: Math.max(beganAt, known?.beganAt ?? beganAt),
        control: isNewer ? control : known?.control,
      });
    },
  }));
  const written = seats.map((one) => ({ at: one.at, apply: () => void to.notes.set(one.note.seat, one) }));
  const started = calls.map(({ startedAt: at }) => ({ at, apply: () => undefined }));
  return [...looked, ...written, ...started].toSorted((a, b) => a.at - b.at);
}
