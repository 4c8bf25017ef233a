import { digestItems, reasonOf } from '../format/digest.ts';
import type { Row } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import { checkCalls } from './check-calls.ts';
import { checkPasses } from './check-passes.ts';
import type { History } from './history.ts';
import { type PassView, passView } from './pass-view.ts';
import type { SimulatedPass } from './passes.ts';
import type { Simulated } from './simulate.ts';
import type { Report, Violation } from './violation.ts';

/** What a run is held to beside the rules that hold for every run. */
export interface Expected {
  readonly items: number;
  /** What an item's row of a pass may be when nothing but the product's own promises decide; a sentence where it is none of them. */
  readonly row: (row: Row, pass: SimulatedPass) => string | undefined;
  readonly cancelled: boolean;
  /** The job ends within this time after the last fault, in milliseconds. */
  readonly endsWithinMs: number;
  /** How long its calls take by themselves, in milliseconds: a job that nobody died of and that lost nothing ends hardly later. @default not known */
  readonly aloneMs?: number;
}

/** Reads the history of a run that ended, and tells every promise that it broke. */
export function check(run: Simulated, expected: Expected): readonly Violation[] {
  const found: Violation[] = [];
  const report = (rule: string, what: string): void => {
    if (found.filter((violation) => violation.rule === rule).length < mostOfARule) found.push({ rule, what });
  };
  for (const pass of run.passes) {
    const of = passView(run, pass);
    const reportOfPass: Report = (rule, what) => report(rule, pass.pass === 0 ? what : `pass ${pass.pass}: ${what}`);
    checkRows(of, expected, reportOfPass);
    checkSummary(of, reportOfPass);
    checkEnd(of, expected, reportOfPass);
    checkCalls(of, reportOfPass);
    checkCauses(of, reportOfPass);
  }
  checkSummary(run, report);
  checkPasses(run, report);
  checkProofs(run.history, report);
  checkDeadLetters(run.history, report);
  checkDeadlines(run.history, report);
  return found;
}

const mostOfARule = 3;

function checkRows({ rows, pass }: PassView, expected: Expected, report: Report): void {
  const { indexes } = pass;
  const items = pass.pass === 0 ? expected.items : indexes.length;
  const seen = new Map<number, number>();
  for (const { index } of rows) seen.set(index, (seen.get(index) ?? 0) + 1);
  for (let index = 0; index < items; index++) {
    const count = seen.get(index) ?? 0;
    if (count !== 1) report('every item has one row', `item ${index} has ${count}`);
  }
  if (rows.length !== items) report('every item has one row', `${rows.length} rows of ${items} items`);
  for (const row of rows) {
    if (row.status === 'cancelled' && expected.cancelled) continue;
    const placed = { ...row, index: indexes[row.index] ?? -1 };
    const problem = row.status === 'cancelled' ? 'cancelled, but nobody asked' : expected.row(placed, pass);
    if (problem !== undefined) report('rows are what the reference says', `item ${placed.index}: ${problem}`);
  }
}

function checkSummary({ rows, summary }: Pick<Simulated, 'rows' | 'summary'>, report: Report): void {
  const { totals } = summary;
  const of = (status: Row['status']): number => rows.filter((row) => row.status === status).length;
  for (const status of ['succeeded', 'failed', 'cancelled'] as const) {
    if (totals[status] !== of(status))
      report('the summary says what the rows say', `${status}: ${totals[status]}, rows ${of(status)}`);
  }
  if (digestItems(totals) !== summary.items)
    report('the summary says what the rows say', `${digestItems(totals)} of ${summary.items}`);
  const codes: Record<string, number> = {};
  for (const row of rows)
    if (row.status === 'failed') codes[reasonOf(row.error)] = (codes[reasonOf(row.error)] ?? 0) + 1;
  for (const code of new Set([...Object.keys(codes), ...Object.keys(totals.codes)])) {
    if (codes[code] !== totals.codes[code])
      report('the summary says what the rows say', `${code}: ${totals.codes[code]}, rows ${codes[code]}`);
  }
}

/** What a client makes good by itself: nobody dies or fails, and nothing has to be missed before it is done again. */
const passing = /^s3-(refused|lost|repeated|slow)$|^sqs-slow$|^lambda-(refused|lost)$|^duplicate$/;
/** What such faults may cost beside the calls: a lease, and the waits of what failed more than once. */
const passingMs = 60_000;

function checkEnd({ history, endedAt, startedAt }: PassView, expected: Expected, report: Report): void {
  const faultsBeforeEnd = history.faults.filter(({ at }) => at <= endedAt);
  const isMild = expected.aloneMs !== undefined && faultsBeforeEnd.every(({ kind }) => passing.test(kind));
  const endsWithinMs = isMild ? passingMs + (expected.aloneMs ?? 0) : expected.endsWithinMs;
  const from = faultsBeforeEnd.reduce((last, { at }) => Math.max(last, at), startedAt);
  if (endedAt - from > endsWithinMs) {
    report(
      'the job ends soon after the last fault',
      `${Math.round((endedAt - from) / 1_000)} s after it, bound ${endsWithinMs / 1_000} s`,
    );
  }
}

/**
 * What was deleted while another worker was about to hand it over is proven when that worker sent. When it died before it could, stood
 * still meanwhile, or SQS took nothing until its end, the job's own rule sends the chunk again.
 */
function checkProofs({ unproven, sent, lives, faults }: History, report: Report): void {
  for (const { place, gen, at, handingOver } of unproven) {
    const writer = lives.find(({ id }) => `w${id}` === handingOver);
    const couldNotSend =
      writer?.killedAt !== undefined ||
      writer?.frozen.some(({ from, to }) => from <= at && at <= to) === true ||
      writer?.faults.some(({ kind }) => /^(sqs|outage)/.test(kind)) === true ||
      // It was not told that its segment stands, and gave up before it sent.
      faults.some(
        ({ kind, life, target }) => life === writer?.id && /^s3-(lost|hang)$/.test(kind) && isSegment(target),
      );
    if (couldNotSend || (writer !== undefined && sent.has(`${place}/${gen + 1}`))) continue;
    report('acknowledged means stored or handed over', `chunk ${place} gen ${gen} was deleted at ${at}`);
  }
}

const isSegment = (target: string | undefined): boolean => target?.includes('/segments/') === true;

/** The code of a row names a cause: it must have happened to that item. */
function checkCauses({ rows, history }: PassView, report: Report): void {
  for (const row of rows) {
    if (row.status !== 'failed' || row.error.code !== 'WorkerCrashed') continue;
    const guilty = history.calls.some(({ index, end }) => index === row.index && end === 'ended its process');
    if (!guilty)
      report(
        'no code names a cause that did not happen',
        `item ${row.index} is WorkerCrashed, and has ended no process`,
      );
  }
}

/** A worker that nothing disturbs has handed over what it could not end. */
function checkDeadlines({ lives }: History, report: Report): void {
  for (const { id, role, ranOut, faults } of lives) {
    const isUndisturbed = faults.every(({ kind }) => kind === 'deadline');
    if (role === 'worker' && ranOut === true && isUndisturbed)
      report('no worker runs into its deadline', `process ${id}, undisturbed`);
  }
}

/** A message dies only when processes died with it in hand, or when SQS itself gave it again as often as that takes. */
function checkDeadLetters(history: History, report: Report): void {
  for (const { kind, place, at } of history.deadLetters) {
    if (kind !== 'work') continue;
    const deaths = history.lives.filter(
      ({ killedAt, chunks }) => killedAt !== undefined && killedAt <= at && chunks.has(place),
    );
    const twins = history.faults.filter(
      (fault) => fault.kind === 'duplicate' && fault.target === place && fault.at <= at,
    );
    if (deaths.length === 0 && twins.length < limits.maxReceiveCount)
      report('nothing dead-letters without a crash', `chunk ${place} at ${at}, 0 deaths`);
  }
}
