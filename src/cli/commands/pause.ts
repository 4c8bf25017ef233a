import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { withTarget, withWorkers } from '../options.ts';
import { hint } from '../view/hint.ts';

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withWorkers(withTarget(command))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: TargetOptions) => {
      if (job !== undefined) requireJobId(job);
      await using jobs = await openJobs(options, { resume: false, signal });
      const chosen = await chooseJob(jobs.fanloop, job);
      await chosen.pause({ by: userInfo().username });
      terminal.say(`job ${chosen.id} pauses: calls under way end, and "${hint('resume', chosen.id, options)}" goes on`);
    });
}
