import { type Command, Option } from 'commander';
import { removeJob, removeOlder } from '../../client/remove.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';
import type { CommandContext } from '../command-context.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { age, withTarget, withWorkers } from '../options.ts';
import { counted } from '../wording.ts';

interface RemoveOptions extends TargetOptions {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly quiet?: boolean;
}

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withWorkers(withTarget(command))
    .argument('[jobs...]', 'ids of jobs that have ended')
    .addOption(
      new Option('--older-than <time>', 'jobs that began before, as 12h, 7d, or 4w').argParser(age('--older-than')),
    )
    .option('--quiet', 'say nothing but errors')
    .action(async (jobs: readonly string[], options: RemoveOptions) => {
      const { olderThan } = options;
      if ((jobs.length === 0) === (olderThan === undefined)) {
        throw new UsageError(
          'InvalidOptions',
          'expected either the ids of jobs or --older-than, as in --older-than 7d',
        );
      }
      for (const job of jobs) requireJobId(job);
      await using open = await openJobs(options, { resume: false, signal });
      const { store, clock } = open.stack;
      for (const job of jobs) await removeJob(store, job);
      const old = olderThan === undefined ? [] : await removeOlder(store, clock.now() - olderThan);
      if (options.quiet !== true) terminal.say(`removed ${counted(jobs.length + old.length, 'job')}`);
    });
}
