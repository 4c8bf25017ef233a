import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { eventWriter } from '../events.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { awaitJob, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';

type CancelOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('<job>', 'id of the job')
    .action(async (job: string, options: CancelOptions) => {
      requireJobId(job);
      await using jobs = await openJobs(options, { resume: false, signal });
      const context = { ...jobs, terminal, options, signal };
      const cancelled = jobs.fanloop.find(job);
      const state = await cancelled.cancel({ by: userInfo().username });
      const said = options.json !== true && options.quiet !== true;
      if (state === 'cancelling') eventWriter(terminal, options.json)({ type: 'cancelling', jobId: job });
      if (said) terminal.say(state === 'ended' ? `job ${job} had ended before` : `cancelling job ${job}`);
      await reportJob(context, await awaitJob(context, cancelled));
    });
}
