import type { Command } from 'commander';
import { openTarget } from '../../targets/open-target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { exitCodeOf } from '../jobs/ended.ts';
import { awaitJob, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';

type WatchOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal, finish }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: WatchOptions) => {
      if (job !== undefined) requireJobId(job);
      const target = await openTarget(options, { resume: true });
      const context = { target, terminal, options, signal };
      try {
        const summary = await awaitJob(context, await chooseJob(target, job));
        const code = exitCodeOf(summary);
        await reportJob(context, summary);
        finish(code);
      } finally {
        await target.close();
      }
    });
}
