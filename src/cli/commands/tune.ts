import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { type LimitFlags, tuningOf, withTuning } from '../limit-options.ts';
import { withTarget, withWorkers } from '../options.ts';
import { limitsText } from '../view/limits-text.ts';

type TuneOptions = TargetOptions & LimitFlags;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withTuning(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: TuneOptions) => {
      if (job !== undefined) requireJobId(job);
      // An `--adaptive` that was really given says that it comes back.
      const isGiven = command.getOptionValueSource('adaptive') === 'cli';
      const change = { ...tuningOf(options), ...(isGiven ? { adaptive: options.adaptive === true } : {}) };
      if (Object.keys(change).length === 0)
        throw new UsageError('InvalidOptions', 'expected a limit to change, as --rate 10/s or --concurrency none');
      await using jobs = await openJobs(options, { resume: false, signal });
      const chosen = await chooseJob(jobs.fanloop, job);
      const limits = await chosen.tune(change, { by: userInfo().username });
      const { concurrency } = await chosen.status();
      terminal.say(`job ${chosen.id}: ${limitsText(limits, { workers: jobs.stack.workers, concurrency })}`);
    });
}
