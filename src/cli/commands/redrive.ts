import { type Command, Option } from 'commander';
import type { RedriveOptions } from '../../client/redrive.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';
import type { JobLimits } from '../../task/job-limits.ts';
import type { CommandContext } from '../command-context.ts';
import { eventWriter } from '../events.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openDelivery } from '../jobs/delivery.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { awaitJob, exitCodeOf, reportJob } from '../jobs/run-job.ts';
import { type LimitFlags, limitsOf, withJobLimits } from '../limit-options.ts';
import { type LimitOptions, type OutputOptions, withLimits, withOutput, withTarget, withWorkers } from '../options.ts';
import { selectOption } from '../view/row-choice.ts';
import type { RowOutputOptions } from '../view/row-output.ts';
import { counted } from '../wording.ts';

/** How items run again, as a person says it. */
export interface AgainOptions
  extends TargetOptions,
    OutputOptions,
    LimitOptions,
    LimitFlags,
    Pick<RowOutputOptions, 'out' | 'select'> {
  readonly sameKey?: boolean;
}

interface RedriveCommandOptions extends AgainOptions {
  readonly code?: readonly string[];
  readonly status?: readonly number[];
  readonly allFailed?: boolean;
  readonly cancelled?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  withAgain(command)
    .argument('<job>', 'id of the job')
    .option('--all-failed', 'every item that failed')
    .option('--cancelled', 'also items that were cancelled')
    .addOption(
      new Option('--code <code>', 'items that failed for this reason, as HttpStatus404; may be given again').argParser(
        (code: string, before: readonly string[] | undefined) => [...(before ?? []), code],
      ),
    )
    .addOption(
      new Option('--status <n>', 'items that failed with this HTTP status; may be given again').argParser(
        (text: string, before: readonly number[] | undefined) => [...(before ?? []), statusOf(text)],
      ),
    )
    .action(async (job: string, options: RedriveCommandOptions) => {
      const { code: codes, status: statuses, allFailed, cancelled } = options;
      if (codes === undefined && statuses === undefined && allFailed !== true && cancelled !== true) {
        throw new UsageError('InvalidOptions', 'expected which items run again: --code, --status, or --all-failed');
      }
      await runAgain(requireJobId(job), { options, choice: { codes, statuses, cancelled } }, context);
    });
}

function statusOf(text: string): number {
  if (/^[1-5]\d\d$/.test(text)) return Number(text);
  throw new UsageError('InvalidOptions', `expected --status to be a status from 100 to 599, got "${text}"`);
}

/** Adds what all commands take that run items again. */
export const withAgain = (command: Command): Command =>
  withOutput(withJobLimits(withLimits(withWorkers(withTarget(command)))))
    .option('--same-key', "calls carry the first pass's idempotency key")
    .option('--out <file>', 'write the rows of all items to a file')
    .addOption(selectOption());

/** Starts a pass over the chosen items, and follows it to its end. */
export async function runAgain(
  jobId: string | undefined,
  asked: { readonly options: AgainOptions; readonly choice: RedriveOptions },
  { terminal, signal, finish }: CommandContext,
): Promise<void> {
  const { options, choice } = asked;
  // The table has all items; `--code` chooses which run again.
  const { state, out, select } = options;
  const output = { ...(state !== undefined && { state }), out, ...(select !== undefined && { select }) };
  await using delivery = out === undefined ? undefined : await openDelivery(output, { terminal, signal });
  await using jobs = await openJobs(options, { resume: true, submits: true, signal });
  const context = { ...jobs, terminal, options, signal };
  const job = await chooseJob(jobs.fanloop, jobId);
  const { timeout: timeoutMs, attempts, sameKey } = options;
  const limits = limitsOf(options) as JobLimits;
  const items = await job.redrive({ ...choice, limits, timeoutMs, attempts, sameKey, signal });
  delivery?.keep(job.id);
  eventWriter(terminal, options.json)({ type: 'redriven', jobId: job.id, items });
  if (options.json !== true && options.quiet !== true) {
    terminal.say(
      terminal.paint('dim', `job ${job.id}: ${counted(items, 'item')} ${items === 1 ? 'runs' : 'run'} again`),
    );
  }
  const summary = await awaitJob(context, job);
  await delivery?.write(job);
  await reportJob(context, summary);
  finish(exitCodeOf(summary));
}
