import { estimateCost } from '../../folder/cost.ts';
import type { ItemError } from '../../format/outcome.ts';
import type { Summary } from '../../format/summary.ts';
import type { Terminal } from '../terminal.ts';
import { count, counted, decimal, dollars, duration } from '../wording.ts';
import { reasonText } from './limits-text.ts';

/** A failed item, as an example of its reason. */
export interface FailedExample {
  readonly index: number;
  readonly error: ItemError;
}

const labelWidth = 10;
/** A report names the most frequent reasons only. */
const reasonsShown = 6;
/** Characters of a failed answer's body; the row has more. */
const bodyCharactersShown = 200;

/** The lines that say how a job ended, from its summary alone; examples of failures, and the command that shows `more`, where they are known. */
export function reportLines(
  summary: Summary,
  terminal: Pick<Terminal, 'paint'>,
  examples: readonly FailedExample[] = [],
  more?: string,
): readonly string[] {
  const row = (label: string, text: string): string => `  ${terminal.paint('dim', label.padEnd(labelWidth))}${text}`;
  if (summary.end === 'refused') {
    return [
      `${terminal.paint('red', '✗')} the input was refused, nothing ran: ${summary.problem?.message ?? 'no reason is known'}`,
    ];
  }
  return [
    headline(summary, terminal),
    ...(summary.reason === undefined ? [] : [row('why', reasonText(summary.reason))]),
    ...failures(summary, examples, more).map((text, i) => row(i === 0 ? 'failed' : '', text)),
    row('retries', retriesLine(summary)),
    row('time', timeLine(summary)),
    ...slowLine(summary).map((text) => row('slow', text)),
    row('workers', workersLine(summary)),
    row('on AWS', costLine(summary)),
    ...(summary.totals.nanoUsd === 0
      ? []
      : [row('by task', `${dollars(summary.totals.nanoUsd / 1e9)}, as it reported`)]),
  ];
}

function headline(summary: Summary, terminal: Pick<Terminal, 'paint'>): string {
  const { succeeded, failed, cancelled } = summary.totals;
  const clean = failed + cancelled === 0;
  const mark = clean ? terminal.paint('green', '✓') : terminal.paint('yellow', '!');
  const parts = [
    `${count(succeeded)} succeeded`,
    ...(failed === 0 ? [] : [terminal.paint('red', `${count(failed)} failed`)]),
    ...(cancelled === 0 ? [] : [`${count(cancelled)} cancelled`]),
  ];
  return `${mark} ${terminal.paint('bold', `${counted(summary.items, 'item')} in ${duration(summary.wallMs)}`)}: ${parts.join(', ')}`;
}

function failures(summary: Summary, examples: readonly FailedExample[], more: string | undefined): readonly string[] {
  const codes = Object.entries(summary.totals.codes).sort(([, a], [, b]) => b - a);
  if (codes.length === 0) return [];
  const shown = codes.slice(0, reasonsShown).map(([code, n]) => `${code} ${count(n)}`);
  const rest = codes.slice(reasonsShown).reduce((sum, [, n]) => sum + n, 0);
  return [
    [...shown, ...(rest === 0 ? [] : [`others ${count(rest)}`])].join(', '),
    ...examples.map(exampleLine),
    ...(more === undefined || examples.length >= summary.totals.failed ? [] : [`"${more}" shows all of them`]),
  ];
}

/** One failure: its message, the beginning of a refusal, and the line of the task's own code where the row knows it. */
function exampleLine({ index, error }: FailedExample): string {
  const { at, body } = error;
  const answer = body === undefined ? '' : `: ${body.slice(0, bodyCharactersShown)}`;
  // The row has the stack; here its first own line says enough.
  const [message = ''] = error.message.split(/\n\s+at /, 1);
  return `index ${index}: ${message}${answer}${at === undefined ? '' : ` (${at})`}`.replaceAll(/\s+/g, ' ');
}

function retriesLine({ totals }: Summary): string {
  const { attempts, tried, refusals } = totals;
  const refused = `${counted(refusals, 'call')} ${refusals === 1 ? 'was' : 'were'} refused for the rate`;
  return `${count(attempts - tried)}${refusals === 0 ? '' : `; ${refused}`}`;
}

function timeLine({ wallMs, totals }: Summary): string {
  const atOnce = totals.callMs / Math.max(1, wallMs);
  const mean = atOnce > 1 ? `, ${decimal(atOnce)} at once on average` : '';
  return `${duration(wallMs)}; ${duration(totals.callMs)} of calls${mean}`;
}

/** Tasks that come along: what they compute is not the person's to move to a thread. */
const ownTasks: ReadonlySet<string> = new Set(['say-after', 'http', 'file', 'database', 'cpu']);

/** asyncio's warning of a slow callback: whoever computes on the loop keeps everybody waiting. */
function slowLine({ task, totals }: Summary): readonly string[] {
  const { slowCallbacks, slowestMs } = totals;
  if (slowCallbacks === 0) return [];
  if (ownTasks.has(task)) {
    return [
      `the event loop was blocked ${counted(slowCallbacks, 'time')}, ${duration(slowestMs)} at most: too much to do at once`,
    ];
  }
  return [
    `the task "${task}" blocked the event loop ${counted(slowCallbacks, 'time')}, ${duration(slowestMs)} at most; "thread: true" runs it on threads`,
  ];
}

function workersLine({ totals, messages, turns }: Summary): string {
  return `${counted(totals.invocations, 'invocation')}, ${counted(messages + totals.handOvers, 'message')}, ${counted(turns, 'turn')} of the job's loop`;
}

function costLine(summary: Summary): string {
  const { lambda, sqs, s3, total } = estimateCost(summary);
  return `about ${dollars(total)} (Lambda ${dollars(lambda)}, SQS ${dollars(sqs)}, S3 ${dollars(s3)})`;
}
