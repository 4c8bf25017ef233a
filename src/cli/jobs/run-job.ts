import { CheckedInput } from '../../client/checked-input.ts';
import type { Job } from '../../client/job.ts';
import { estimateCost } from '../../folder/cost.ts';
import type { ControlReason } from '../../format/control.ts';
import type { Summary } from '../../format/summary.ts';
import { limits } from '../../limits.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { JobLimits } from '../../task/job-limits.ts';
import { type EventWriter, eventWriter } from '../events.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { ifInterrupted } from '../interrupt.ts';
import type { OutputOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { chooseView } from '../view/choose-view.ts';
import { firstFailures } from '../view/first-failures.ts';
import { hint } from '../view/hint.ts';
import { limitsText, reasonText } from '../view/limits-text.ts';
import { reportLines } from '../view/report.ts';
import { counted } from '../wording.ts';
import { JobPaused } from './job-paused.ts';
import type { OpenJobs } from './open-jobs.ts';
import type { PreparedBlocks, PreparedJob } from './prepare.ts';

/** What the steps of a job need of the command they are part of. */
export interface JobContext extends Pick<OpenJobs, 'stack' | 'fanloop'> {
  readonly terminal: Terminal;
  readonly options: TargetOptions & OutputOptions;
  readonly signal: AbortSignal;
  /** The job's folder goes with the command, so that nobody can come back to it. @default false */
  readonly throwaway?: boolean;
}

/** Says what the fleet can reach, and submits the job; its id is said before its first call can happen. */
export async function startJob(
  context: JobContext,
  job: PreparedJob,
  { inline, onId }: { readonly inline: boolean; readonly onId?: (jobId: string) => void },
): Promise<Job> {
  const { stack, fanloop, terminal, signal } = context;
  const say = sayer(context);
  say(terminal.paint('dim', limitsText(job.jobLimits, { workers: stack.workers, concurrency: limits.concurrency })));
  const { resumed = 0, notice } = stack;
  if (notice !== undefined) say(notice);
  if (resumed > 0) {
    const jobs = `${counted(resumed, 'unfinished job')} ${resumed === 1 ? 'goes' : 'go'} on beside this one`;
    say(terminal.paint('dim', `${jobs}; "fanloop jobs" lists, "fanloop cancel" ends`));
  }
  let begun: string | undefined;
  const counter = { items: 0 };
  const prepared = job.input.kind === 'later' ? await job.input.open(stack.input) : job.input;
  if (prepared.kind === 'blocks') for (const note of prepared.notes) say(terminal.paint('dim', note));
  const isObject = prepared.kind === 'object';
  const submitted = fanloop.submit(
    job.taskName,
    isObject
      ? { input: prepared.address, ...(prepared.format === undefined ? {} : { format: prepared.format }) }
      : { input: new CheckedInput(bytesOf(prepared, counter), prepared.mark), format: prepared.format },
    {
      ...job.options,
      inline,
      signal,
      onSubmit: ({ id }) => {
        begun = id;
        onId?.(id);
        const items = isObject ? undefined : counter.items;
        const known = items === undefined ? {} : { items };
        const { workers } = stack;
        const { taskName: task, jobLimits } = job;
        const concurrency = atOnce(jobLimits, workers);
        events(context)({ type: 'submitted', jobId: id, task, ...known, workers, concurrency, limits: jobLimits });
        say(terminal.paint('dim', `job ${id}${items === undefined ? '' : `: ${counted(items, 'item')}`}`));
      },
    },
  );
  return ifInterrupted(() => (begun === undefined ? noJob() : farewell(context, begun)), submitted);
}

/** Calls at once, at most. */
const atOnce = ({ maxConcurrency }: JobLimits, workers: number): number =>
  maxConcurrency ?? workers * limits.concurrency;

/** What an interruption means before a job stands. */
export const noJob = (): string => 'interrupted; no job was started';

async function* bytesOf(input: PreparedBlocks, counter: { items: number }): AsyncGenerator<Buffer> {
  counter.items = input.first.items;
  yield input.first.bytes;
  for await (const block of input.rest) {
    counter.items += block.items;
    yield block.bytes;
  }
}

/** Follows a job to its end with progress; when it is interrupted, says how to come back. */
export async function awaitJob(context: JobContext, job: Job): Promise<Summary> {
  const { stack, terminal, signal } = context;
  const view = chooseView(context.options, { terminal, clock: stack.clock, events: events(context) });
  const follow = async (): Promise<Summary> => {
    const progress = job.progress({ signal });
    try {
      for (let look = await progress.next(); ; look = await progress.next()) {
        if (look.done === true) return look.value;
        if (look.value.paused !== undefined) throw paused(context, job.id, look.value.paused);
        view.update(look.value);
      }
    } finally {
      view.end();
    }
  };
  return ifInterrupted(() => farewell(context, job.id), follow());
}

/** The job pauses: nobody waits for it any more, and the message says why and how it goes on. */
function paused(context: JobContext, jobId: string, reason: ControlReason): JobPaused {
  events(context)({ type: 'paused', jobId, reason });
  return new JobPaused(`job ${jobId}: ${reasonText(reason)}; "${hint('resume', jobId, context.options)}" goes on`);
}

/** Zero when every item succeeded, or as many as were wanted. */
export function exitCodeOf({ totals, reason }: Summary): ExitCode {
  return totals.failed + totals.cancelled === 0 || reason === 'succeeded' ? exitCodes.ok : exitCodes.failed;
}

/** Says how a job ended. */
export async function reportJob(context: JobContext, summary: Summary): Promise<void> {
  events(context)({ type: 'summary', costUsd: estimateCost(summary), ...summary });
  if (context.options.json === true || context.options.quiet === true) return;
  const examples = await firstFailures(context.stack.store, summary);
  const more = context.throwaway === true ? undefined : `${hint('results', summary.jobId, context.options)} --failed`;
  for (const line of reportLines(summary, context.terminal, examples, more)) context.terminal.say(line);
}

/** Says at once what becomes of a job whose command is interrupted, and how to come back to it: storing what has settled takes its time. */
function farewell(context: JobContext, jobId: string): string {
  events(context)({ type: 'interrupted', jobId });
  context.terminal.say(farewellText(context, jobId));
  return '';
}

function farewellText({ stack, options, throwaway }: JobContext, jobId: string): string {
  if (throwaway === true) return 'interrupted; nothing is left behind';
  const follow = hint('watch', jobId, options);
  const cancel = hint('cancel', jobId, options);
  return stack.outlivesProcess()
    ? `interrupted; job ${jobId} goes on: "${follow}" follows it, "${cancel}" ends it`
    : `interrupted; job ${jobId} stops with this process: "${follow}" goes on where it stopped, "${cancel}" ends it`;
}

const events = (context: JobContext): EventWriter => eventWriter(context.terminal, context.options.json);

/** Says a line, unless events or silence are wanted. */
function sayer({ options, terminal }: JobContext): (line: string) => void {
  return options.json === true || options.quiet === true ? () => {} : terminal.say;
}
