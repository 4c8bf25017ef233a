import type { Control } from '../format/control.ts';
import { digestItems } from '../format/digest.ts';
import type { ChunkRange, CutProgress, TickRecord } from '../format/tick.ts';
import { limits } from '../limits.ts';
import { hasStops, type JobLimits } from '../task/job-limits.ts';
import { bellsFor, idleSeats, type Ringing } from './bells.ts';
import { countSettled, type NewlySettled } from './count-settled.ts';
import { isNearStop } from './near-stop.ts';
import { delayAfter, leftToEnd, leftToSend, secondsTowardsTheEnd } from './next-turn.ts';
import { nextSeatCount, type SeatCount, type SeatsSeen } from './seat-count.ts';

/** What a turn saw of the job's folder and queue. */
export interface Observed {
  readonly cut: CutProgress;
  /** Why the input is refused. */
  readonly problem?: { readonly code: string; readonly message: string };
  /** Chunks that have a result and were not counted before. */
  readonly settled: NewlySettled;
  /** Segments of the open parts, and for how long a chunk waits at most; absent where they were not listed, since something settled. */
  readonly segments?: { readonly count: number; readonly waitMs: number } | undefined;
  /** Messages in the work queue, of any job. */
  readonly queueDepth: number;
  /** It is certain that nobody has a chunk of the job in hand. @default false */
  readonly isNobodyAtWork?: boolean;
  /** The limits that hold. */
  readonly limits: JobLimits;
  /** Seats of a limited job; absent where it has no limits that workers share. */
  readonly seats?: Pick<Ringing, 'control' | 'seats'> & { readonly isCalm: boolean; readonly workers: number };
  /** Everybody has seen the control by now. @default true */
  readonly isControlSeen?: boolean;
  /** Somebody asks that unsettled chunks be sent again. */
  readonly resendAsked: boolean;
  /** The fan-out runs the job's only chunk itself in this turn. */
  readonly inline: boolean;
}

/** The instant of a turn, and who takes it. */
export interface TurnMoment {
  readonly now: number;
  readonly writer: string;
  /** How long a worker holds a message without renewing it. */
  readonly leaseMs: number;
}

/**
 * One turn of a job's loop, as a pure function: from the last record and what is seen now to the record whose effects follow.
 * Steering (rate, window, pause, budget) belongs here and nowhere else.
 */
export function turn(
  last: TickRecord | undefined,
  observed: Observed,
  control: Control | undefined,
  moment: TurnMoment,
): TickRecord {
  const { now, writer, leaseMs } = moment;
  const { cut, problem } = observed;
  const n = last === undefined ? 0 : last.n + 1;
  const sentBefore = last?.send[1] ?? 0;
  const count = countSettled(last, observed);
  const cancelledAt = last?.cancelledAt ?? (control?.state === 'cancelled' ? now : undefined);
  const cancelling = cancelledAt !== undefined;
  const isPaused = !cancelling && control?.state === 'paused';

  const limited = observed.seats !== undefined;
  const isNewGeneration = (control?.generation ?? 0) > (last?.resends ?? 0);
  // Somebody may still run chunks the way in which they were given out before.
  const isTooEarly = isNewGeneration && !limited && !observed.resendAsked && observed.isControlSeen === false;
  const of = control?.table.limits ?? observed.limits;
  const isHurried = hasStops(of);
  const isNear = isHurried && cut.done && isNearStop(of, last, { items: cut.items, totals: count.totals, at: now });
  const bound = canaryBound(observed, control);
  const send: ChunkRange =
    problem !== undefined || cancelling || isPaused || isTooEarly
      ? [sentBefore, sentBefore]
      : nextChunks(cut, sentBefore, { settled: count.chunks, bound });
  const sent = observed.inline ? 0 : send[1] - send[0];
  const unsettledBefore = sentBefore - count.chunks;
  const idleSince = unsettledBefore === 0 ? undefined : quietSince(last, observed, now);
  const fruitless = observed.settled.length > 0 ? 0 : (last?.fruitlessResends ?? 0);
  const resend =
    !limited &&
    !cancelling &&
    !isPaused &&
    unsettledBefore > 0 &&
    (observed.resendAsked ||
      (isNewGeneration && !isTooEarly) ||
      (idleSince !== undefined && now - idleSince >= patience(leaseMs, observed.queueDepth, fruitless)));
  const isQuiet = idleSince !== undefined && now - idleSince >= quietMs;
  const rung = stillRung(last, now);
  const hasWork = !cancelling && !isPaused && !observed.inline && send[1] > count.chunks;
  const bells =
    hasWork && observed.seats !== undefined
      ? bellsFor({ ...observed.seats, to: send[1], all: observed.resendAsked || isNewGeneration || isQuiet, now, rung })
      : [];
  const left = { chunksLeft: cut.chunks - count.chunks, leftMs: leftToEnd(last, { cut, settled: count.chunks, now }) };
  const seatCount = hasWork ? seatCountOf(last, observed, { now, ...left }) : undefined;
  const idle =
    hasWork && cut.done && send[1] === cut.chunks && observed.seats !== undefined
      ? idleSeats({ ...observed.seats, to: send[1], all: bells.length > 0 || observed.resendAsked || isNewGeneration })
      : [];
  const movesSeats = seatCount !== undefined && seatCount.seats !== observed.seats?.control.table.seats;
  // An instant that lies ahead is that of a clock which was set: nobody waits for it.
  const isOver = cancelling && (observed.isNobodyAtWork || now < cancelledAt || now - cancelledAt >= cancelGraceMs);
  const settleRest = isOver && unsettledBefore > 0;

  const isStuck = !cut.done && cut.parts.length === (last?.cut.parts.length ?? 0);
  const turnsWithoutPart = isStuck ? (last?.turnsWithoutPart ?? 0) + 1 : 0;

  const complete = cut.done && count.chunks === send[1] && (cancelling || send[1] === cut.chunks);
  const neverSent = complete && cancelling ? cut.items - digestItems(count.totals) : 0;
  const cancelled = count.totals.cancelled + neverSent;
  const reason = cancelling ? control?.reason : undefined;
  // What was left out is no loss where enough has succeeded.
  const isDone = cancelled === 0 || reason === 'succeeded';
  const end = problem !== undefined ? 'refused' : !complete ? undefined : isDone ? 'done' : 'cancelled';

  return {
    v: 1,
    n,
    writer,
    at: now,
    nextAt:
      now +
      Math.min(
        // What it settles is counted at once.
        settleRest ? 0 : Number.POSITIVE_INFINITY,
        delayAfter(n, {
          cut,
          cancelling,
          hurry: isHurried || isTooEarly || movesSeats,
          isNear,
          isPaused,
          calm:
            limited && bells.length === 0 && observed.seats?.isCalm === true
              ? leftToEnd(last, { cut, settled: count.chunks, now })
              : undefined,
          left: leftToSend(last, { send, cut, settled: count.chunks, now }),
          inline: observed.inline,
        }),
        isPaused
          ? Number.POSITIVE_INFINITY
          : 1_000 * secondsTowardsTheEnd(last, { at: now, settledChunks: count.chunks }, cut.chunks),
      ),
    cut,
    send,
    resend,
    // Messages from before a generation of the control are void.
    resends: isTooEarly
      ? (last?.resends ?? 0)
      : Math.max((last?.resends ?? 0) + (resend ? 1 : 0), control?.generation ?? 0),
    totals: { ...count.totals, cancelled },
    counted: count.counted,
    settledParts: count.settledParts,
    settledChunks: count.chunks,
    messages: (last?.messages ?? 0) + (limited ? bells.length : sent) + (resend ? unsettledBefore : 0),
    ...(limited ? { limited, bells, rung: { ...rung, ...Object.fromEntries(bells.map((seat) => [seat, now])) } } : {}),
    ...(seatCount === undefined ? {} : { seatCount }),
    ...(idle.length === 0 ? {} : { idle }),
    settleRest,
    ...(idleSince === undefined || resend || (limited && isQuiet) ? {} : { idleSince }),
    ...withCount('fruitlessResends', fruitless + (resend ? 1 : 0)),
    ...withCount('turnsWithoutPart', turnsWithoutPart),
    ...(observed.segments === undefined ? {} : { segments: observed.segments.count }),
    ...(cancelledAt === undefined ? {} : { cancelledAt }),
    ...(end === undefined ? {} : { end }),
    ...(end === undefined || reason === undefined || reason === 'user' ? {} : { reason }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Workers look at control every 2 s and then store what they have; after this time the turn settles what is left. */
const cancelGraceMs = 2 * limits.controlMs;

/** A limited job of which nothing settles for so long may have left something out. */
const quietMs = 90_000;
/** A bell is on its way at most so long; older ones need not be remembered. */
const rungMs = 60_000;

function stillRung(last: TickRecord | undefined, now: number): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(last?.rung ?? {}).filter(([, at]) => at <= now && now - at < rungMs));
}

/** How many seats a limited job has from this turn on; whoever steers it may have changed their number since the last one. */
function seatCountOf(
  last: TickRecord | undefined,
  { seats: seen }: Observed,
  at: Pick<SeatsSeen, 'now' | 'chunksLeft' | 'leftMs'>,
): SeatCount | undefined {
  if (seen === undefined) return undefined;
  const { limits: of, seats } = seen.control.table;
  const held = seen.seats.filter(({ note, isFree }) => !isFree && note.seat < seats).map(({ note }) => note.status);
  // What it starts with may change as soon as it has been measured.
  const before = last?.seatCount ?? { seats, changedAt: 0 };
  const known = before.seats === seats ? before : { seats, changedAt: at.now };
  return nextSeatCount(known, { limits: of, held, workers: seen.workers, ...at });
}

/** While the canary runs, no chunk behind it does. */
function canaryBound({ cut, limits: of }: Observed, control: Control | undefined): number {
  const isOpen = of.canary === undefined || control?.passed === true || cut.canaryChunks === undefined;
  return isOpen ? cut.chunks : cut.canaryChunks;
}

/** Parts go out whole and in order, the next one when less than one part is unsettled; none of it behind the bound. */
function nextChunks(
  cut: CutProgress,
  sent: number,
  at: { readonly settled: number; readonly bound: number },
): ChunkRange {
  if (!cut.done || sent >= at.bound || sent - at.settled >= limits.partChunks) return [sent, sent];
  let to = 0;
  for (const { chunks } of cut.parts) {
    to += chunks;
    if (to > sent) break;
  }
  return [sent, Math.min(to, at.bound)];
}

const withCount = (name: string, count: number): Readonly<Record<string, number>> =>
  count === 0 ? {} : { [name]: count };

/** Since when the job shows no sign of life: nothing settled, no worker stored a segment, and what waited when that began need not wait any more. */
function quietSince(last: TickRecord | undefined, observed: Observed, now: number): number | undefined {
  const { segments, settled } = observed;
  if (settled.length > 0 || segments === undefined || segments.count !== (last?.segments ?? 0)) return undefined;
  const latest = now + Math.min(segments.waitMs, limits.maxRetryAfterMs);
  const known = last?.idleSince;
  // Whoever set a later instant had another clock: nothing waits so long.
  return known === undefined ? latest : Math.min(known, latest);
}

/** A worker that lives stores something within a lease. Messages in the queue may be this job's, behind those of others: then a resend is tried ever later. */
function patience(leaseMs: number, queueDepth: number, fruitless: number): number {
  const least = limits.idleLeases * leaseMs;
  return queueDepth === 0 ? least : Math.max(least, Math.min(limits.maxIdleMs, least * 2 ** fruitless));
}
