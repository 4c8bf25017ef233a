import { estimateCost } from '../../folder/cost.ts';
import { readRows } from '../../folder/read-rows.ts';
import type { Row } from '../../format/outcome.ts';
import type { Summary } from '../../format/summary.ts';
import { limits } from '../../limits.ts';
import type { Target } from '../../targets/target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { type EventWriter, eventWriter } from '../events.ts';
import { ifInterrupted } from '../interrupt.ts';
import type { OutputOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { chooseView } from '../view/choose-view.ts';
import { firstFailures } from '../view/first-failures.ts';
import { hint } from '../view/hint.ts';
import { reportLines } from '../view/report.ts';
import { count, counted } from '../wording.ts';
import { followJob } from './follow.ts';
import type { PreparedJob } from './prepare.ts';
import { type Submitted, submitJob } from './submit.ts';

/** What the steps of a job need of the command they are part of. */
export interface JobContext {
  readonly target: Target;
  readonly terminal: Terminal;
  readonly options: TargetOptions & OutputOptions;
  readonly signal: AbortSignal;
  /** The job's folder goes with the command, so that nobody can come back to it. @default false */
  readonly throwaway?: boolean;
}

/** Says what the fleet can reach, submits the job, and says its id. */
export async function startJob(context: JobContext, job: PreparedJob): Promise<Submitted> {
  const { target, terminal } = context;
  const concurrency = job.limits.concurrency ?? limits.concurrency;
  const say = sayer(context);
  const reach = `${counted(target.workers, 'worker')} × ${counted(concurrency, 'call')}`;
  say(terminal.paint('dim', `${reach} = up to ${count(target.workers * concurrency)} calls at once`));
  if (target.resumed !== undefined && target.resumed > 0) {
    const jobs = `${counted(target.resumed, 'unfinished job')} ${target.resumed === 1 ? 'goes' : 'go'} on beside this one`;
    say(terminal.paint('dim', `${jobs}; "fanloop jobs" lists, "fanloop cancel" ends`));
  }
  const submitted = await ifInterrupted(noJob, submitJob(target, job, context.signal));
  const { jobId, items } = submitted;
  events(context)({
    type: 'submitted',
    jobId,
    task: job.taskName,
    ...(items === undefined ? {} : { items }),
    workers: target.workers,
    concurrency,
  });
  say(terminal.paint('dim', `job ${jobId}${items === undefined ? '' : `: ${counted(items, 'item')}`}`));
  return submitted;
}

/** What an interruption means before a job stands. */
export const noJob = (): string => 'interrupted; no job was started';

/** Follows a job to its end with progress; when it is interrupted, says how to come back. */
export async function awaitJob(context: JobContext, jobId: string): Promise<Summary> {
  const { target, terminal, signal } = context;
  const { clock } = target.steer;
  const view = chooseView(context.options, { terminal, clock, events: events(context) });
  return ifInterrupted(() => farewell(context, jobId), followJob(target.steer, jobId, { view, signal }));
}

/** Says how a job ended. */
export async function reportJob(context: JobContext, summary: Summary): Promise<void> {
  events(context)({ type: 'summary', costUsd: estimateCost(summary), ...summary });
  if (context.options.json === true || context.options.quiet === true) return;
  const examples = await firstFailures(context.target.steer.store, summary);
  for (const line of reportLines(summary, context.terminal, examples)) context.terminal.say(line);
}

/** Writes a job's rows in input order until nobody reads them; answers how many there were. */
export async function writeRows(
  context: Pick<JobContext, 'target' | 'signal'>,
  jobId: string,
  write: (rows: readonly Row[]) => Promise<boolean>,
): Promise<number> {
  let written = 0;
  for await (const rows of readRows(context.target.steer.store, jobId)) {
    context.signal.throwIfAborted();
    written += rows.length;
    if (!(await write(rows))) break;
  }
  return written;
}

/** What becomes of a job whose command is interrupted, and how to come back to it. */
function farewell(context: JobContext, jobId: string): string {
  const { target, options } = context;
  events(context)({ type: 'interrupted', jobId });
  if (context.throwaway === true) return 'interrupted; nothing is left behind';
  const follow = hint('watch', jobId, options);
  const cancel = hint('cancel', jobId, options);
  return target.outlivesProcess()
    ? `interrupted; job ${jobId} goes on: "${follow}" follows it, "${cancel}" ends it`
    : `interrupted; job ${jobId} stops with this process: "${follow}" goes on where it stopped, "${cancel}" ends it`;
}

const events = (context: JobContext): EventWriter => eventWriter(context.terminal, context.options.json);

/** Says a line, unless events or silence are wanted. */
function sayer({ options, terminal }: JobContext): (line: string) => void {
  return options.json === true || options.quiet === true ? () => {} : terminal.say;
}
