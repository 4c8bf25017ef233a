import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { cancelJob } from '../../client/steer.ts';
import { openTarget } from '../../targets/open-target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { eventWriter } from '../events.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { awaitJob, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';

type CancelOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('<job>', 'id of the job')
    .action(async (job: string, options: CancelOptions) => {
      requireJobId(job);
      const target = await openTarget(options, { resume: false });
      const context = { target, terminal, options, signal };
      try {
        const state = await cancelJob(target.steer, job, userInfo().username);
        const said = options.json !== true && options.quiet !== true;
        if (state === 'cancelling') eventWriter(terminal, options.json)({ type: 'cancelling', jobId: job });
        if (said) terminal.say(state === 'ended' ? `job ${job} had ended before` : `cancelling job ${job}`);
        await reportJob(context, await awaitJob(context, job));
      } finally {
        await target.close();
      }
    });
}
