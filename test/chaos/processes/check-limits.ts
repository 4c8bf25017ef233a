import { seatsFor } from '../../../src/format/share.ts';
import { limits } from '../../../src/limits.ts';
import type { Call } from './downstream.ts';
import type { PlannedLimits } from './plan.ts';

/** Limits that may hold for a time: from when somebody began to ask for them until everybody must have seen the next ones. */
export interface LimitSpan {
  readonly limits: PlannedLimits;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** Workers of the campaign's stack. */
const workers = 2;
/** A machine that does much besides is given this for what a test sees of a clock and a server. */
const slackMs = 250;
/** A call that came so long after its start was on its way when its process was stopped. */
const stoppedMs = 500;

/** When somebody began to ask for a change, and since when it stands; whether it does is unknown where the asking failed. */
interface Asked {
  readonly began: number;
  readonly stoodAt: number | undefined;
}

/** What a job was allowed at each time, as told by those who changed it. */
export class LimitTimeline {
  readonly #spans: LimitSpan[] = [];
  /** Those that may hold: several where somebody does not know whether a change stands. */
  #possible: readonly PlannedLimits[];

  constructor(first: PlannedLimits) {
    this.#possible = [first];
    this.resumed({ began: 0 });
  }

  get spans(): readonly LimitSpan[] {
    return this.#spans;
  }

  tuned(wanted: PlannedLimits, asked: Asked): void {
    this.paused(asked);
    this.#possible = asked.stoodAt === undefined ? [...this.#possible, wanted] : [wanted];
    this.resumed(asked);
  }

  paused({ stoodAt }: Asked): void {
    if (stoodAt === undefined) return;
    const seenAt = stoodAt + limits.raiseAfterMs + slackMs;
    for (const [n, span] of this.#spans.entries()) this.#spans[n] = { ...span, until: Math.min(span.until, seenAt) };
  }

  resumed({ began }: Pick<Asked, 'began'>): void {
    for (const of of this.#possible) this.#spans.push({ limits: of, from: began, until: Number.POSITIVE_INFINITY });
  }
}

/**
 * Calls beyond what the limits allowed: at once, exactly; and in any time that begins and ends with a call.
 *
 * @param lagMs how late a timer ran at most: a process that stands still for so long begins the calls of that time at once
 */
export function checkLimits(calls: readonly Call[], spans: readonly LimitSpan[], lagMs: number): string[] {
  const counted = calls.filter(({ at, startedAt }) => at - startedAt < stoppedMs);
  return [...checkAtOnce(counted, spans), ...checkRate(counted, spans, lagMs)];
}

/** The most that any of the limits allowed which may hold at a time. */
function most(spans: readonly LimitSpan[], at: number, of: (limits: PlannedLimits) => number | undefined): number {
  const held = spans.filter(({ from, until }) => from <= at && at <= until);
  return Math.max(0, ...held.map((span) => of(span.limits) ?? Number.POSITIVE_INFINITY));
}

function checkAtOnce(calls: readonly Call[], spans: readonly LimitSpan[]): string[] {
  const broken: string[] = [];
  for (const call of calls) {
    const { startedAt } = call;
    const open = calls.filter((one) => one.startedAt <= startedAt && startedAt < (one.endedAt ?? Infinity));
    const allowed = most(spans, startedAt, ({ concurrency }) => concurrency);
    if (open.length > allowed)
      broken.push(`${open.length} calls at once where ${allowed} were allowed (${told(call, spans)})`);
  }
  return broken.slice(0, 3);
}

function checkRate(calls: readonly Call[], spans: readonly LimitSpan[], lagMs: number): string[] {
  const broken: string[] = [];
  const starts = calls.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  const rateAt = starts.map((at) => most(spans, at, ({ rate }) => rate));
  const seats = Math.max(...spans.map((span) => seatsOf(span.limits)));
  for (const [first, from] of starts.entries()) {
    for (let last = first + 1; last < starts.length && (starts[last] ?? 0) - from <= 1_000; last++) {
      const seconds = ((starts[last] ?? from) - from) / 1_000;
      const highest = Math.max(...rateAt.slice(first, last + 1));
      const allowed = 1.02 * highest * (seconds + (limits.paceBurstMs + lagMs) / 1_000) + 2 * seats + 1;
      const count = last - first + 1;
      if (count <= allowed) continue;
      broken.push(`${count} calls within ${seconds} s where ${allowed.toFixed(1)} were allowed, at ${from}`);
      break;
    }
  }
  return broken.slice(0, 3);
}

const seatsOf = ({ rate, concurrency }: PlannedLimits): number =>
  seatsFor(
    {
      ...(rate === undefined ? {} : { rate: { limit: rate, perMs: 1_000 } }),
      ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
    },
    workers,
  );

const told = (call: Call, spans: readonly LimitSpan[]): string =>
  `item ${call.index} at ${call.startedAt}; asked for: ${spans.map((span) => `${JSON.stringify(span.limits)} ${span.from} to ${span.until}`).join(', ')}`;
