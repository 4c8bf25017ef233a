import type { Command } from 'commander';
import type { Job } from '../../client/job.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { type JobContext, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';
import { progressDetails } from '../view/details.ts';
import { hint } from '../view/hint.ts';
import { limitsText, reasonText, usedText } from '../view/limits-text.ts';

type StatusOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: StatusOptions) => {
      if (job !== undefined) requireJobId(job);
      await using jobs = await openJobs(options, { resume: false, signal });
      await showStatus({ ...jobs, terminal, options, signal }, await chooseJob(jobs.fanloop, job));
    });
}

async function showStatus(context: JobContext, job: Job): Promise<void> {
  const { stack, terminal, options } = context;
  const { state, limits, used, concurrency, reason, progress, summary } = await job.status();
  const name = `job ${job.id}: ${progress.task}, ${state}`;
  if (summary !== undefined) {
    if (options.json !== true) await terminal.data(`${name}\n`);
    return reportJob(context, summary);
  }
  await terminal.data(
    options.json === true
      ? `${JSON.stringify({ type: 'progress', state, ...(reason === undefined ? {} : { reason }), limits, ...(used === undefined ? {} : { used }), ...progress })}\n`
      : `${name}, ${progressDetails(progress).join(', ')}\n`,
  );
  if (options.json !== true) {
    terminal.say(limitsText(limits, { workers: stack.workers, concurrency }));
    if (used !== undefined) terminal.say(usedText(used));
    if (reason !== undefined) terminal.say(`${reasonText(reason)}; "${hint('resume', job.id, options)}" goes on`);
  }
  if (state !== 'paused' && !stack.outlivesProcess())
    terminal.say(`nothing runs it now; "${hint('watch', job.id, options)}" does`);
}
