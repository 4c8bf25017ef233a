import type { Row } from '../../../src/format/outcome.ts';
import type { Summary } from '../../../src/format/summary.ts';
import { limits } from '../../../src/limits.ts';
import { type Call, outcomeOf } from './downstream.ts';

/** A fault of a process or a queue. */
export interface DoneAct {
  readonly kind: string;
  readonly at: number;
  readonly untilAt: number;
}

/** A run that ended. */
export interface EndedRun {
  /** Passes before: 0 after the job's first end, 1 after what had failed ran again. */
  readonly pass: number;
  readonly items: number;
  readonly rows: readonly Row[];
  readonly summary: Summary;
  readonly calls: readonly Call[];
  /** Faults of processes and queues. */
  readonly acts: readonly DoneAct[];
  /** How many requests of the faces went wrong. */
  readonly faceFaults: number;
  /** How late a timer of this process ran at most, in milliseconds: as late may those of the run's own processes be, and later. */
  readonly lagMs: number;
}

/** A worker looks once a second whether rows are old enough to be kept, and then stores them. */
const keepingMs = limits.localCheckpointMs + 1_500;
/** Processes that lost their owner, or stood still, have ended or have noticed within this time. */
const noticeMs = 2_000;
/** Processes of a run wait for each other: what is late in one is late in several. */
const lagsInARow = 4;

/** Every promise that a run broke, in a sentence each. */
export function check(run: EndedRun): readonly string[] {
  return [...checkRows(run), ...checkSummary(run), ...checkChosen(run), ...checkCalls(run)];
}

function checkRows({ rows, items, pass }: EndedRun): string[] {
  const broken: string[] = [];
  if (rows.length !== items) broken.push(`${rows.length} rows of ${items} items`);
  for (const [n, row] of rows.entries()) {
    if (row.index !== n) broken.push(`row ${n} is of item ${row.index}`);
    const got =
      row.status === 'failed' ? row.error.code : row.status === 'succeeded' ? JSON.stringify(row.value) : row.status;
    const wanted = outcomeOf(row.index, pass) === 'refused' ? 'Refused' : JSON.stringify({ n: row.index });
    if (got !== wanted) broken.push(`item ${row.index}: expected ${wanted}, got ${got}`);
  }
  return broken.slice(0, 5);
}

function checkSummary({ rows, summary, items }: EndedRun): string[] {
  const { succeeded, failed, cancelled } = summary.totals;
  const of = (status: string): number => rows.filter((row) => row.status === status).length;
  const told = JSON.stringify([summary.items, succeeded, failed, cancelled]);
  const counted = JSON.stringify([items, of('succeeded'), of('failed'), of('cancelled')]);
  return told === counted ? [] : [`the summary says ${told}, the rows ${counted}`];
}

/** What has succeeded does not run again. */
function checkChosen({ calls }: EndedRun): string[] {
  return calls
    .filter(({ index, pass }) => pass > 0 && outcomeOf(index, 0) !== 'refused')
    .map(({ index }) => `item ${index} had succeeded, and was called again by a pass`)
    .slice(0, 5);
}

/** An answered call is made again only if its process, or its queue, went before the row was kept. */
function checkCalls({ calls, acts, faceFaults, lagMs }: EndedRun): string[] {
  const broken: string[] = [];
  for (const { call, again } of repeats(calls)) {
    const { answeredAt } = call;
    if (answeredAt === undefined) continue;
    const since = Math.round(again.at - answeredAt);
    const what = `item ${call.index}, attempt ${call.attempt}, was called again ${since} ms after its answer`;
    if (acts.length === 0 && faceFaults === 0) broken.push(`${what}, without a fault`);
    // Where requests go wrong, a message may be there twice, or rows cannot be kept for a time.
    if (faceFaults > 0) continue;
    const lateMs = lagsInARow * lagMs;
    const isNear = acts.some(
      ({ at, untilAt }) =>
        at <= again.at && answeredAt >= at - keepingMs - lateMs && answeredAt <= untilAt + noticeMs + lateMs,
    );
    if (!isNear) broken.push(`${what}, and no fault came soon after that (timers were ${Math.round(lagMs)} ms late)`);
  }
  return broken.slice(0, 5);
}

/** Calls of an attempt that was made before. */
export function repeats(calls: readonly Call[]): ReadonlyArray<{ readonly call: Call; readonly again: Call }> {
  const earlier = new Map<string, Call>();
  const found: Array<{ readonly call: Call; readonly again: Call }> = [];
  for (const again of calls) {
    const key = `${again.index}/${again.pass}/${again.attempt}`;
    const call = earlier.get(key);
    earlier.set(key, again);
    if (call !== undefined) found.push({ call, again });
  }
  return found;
}
