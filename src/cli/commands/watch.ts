import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { awaitJob, exitCodeOf, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';

type WatchOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal, finish }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: WatchOptions) => {
      if (job !== undefined) requireJobId(job);
      await using jobs = await openJobs(options, { resume: true, signal });
      const context = { ...jobs, terminal, options, signal };
      const summary = await awaitJob(context, await chooseJob(jobs.fanloop, job));
      await reportJob(context, summary);
      finish(exitCodeOf(summary));
    });
}
