import type { Command } from 'commander';
import type { Job } from '../../client/job.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { deliverRows } from '../jobs/delivery.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { withTarget, withWorkers } from '../options.ts';
import { hint } from '../view/hint.ts';
import { withRows } from '../view/row-choice.ts';
import { openRows, type RowOutputOptions } from '../view/row-output.ts';
import { count } from '../wording.ts';

interface ResultsOptions extends TargetOptions, RowOutputOptions {
  readonly partial?: boolean;
}

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withRows(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .option('--partial', 'of a running job, the rows that are there')
    .action(async (job: string | undefined, options: ResultsOptions) => {
      if (job !== undefined) requireJobId(job);
      const output = await openRows(options, terminal);
      await using jobs = await openJobs(options, { resume: false, signal });
      try {
        const chosen = await chooseJob(jobs.fanloop, job);
        const partial = await isPartial(chosen, options);
        await deliverRows(chosen, output, { signal, partial });
        await output.finish();
      } finally {
        await output.discard();
      }
    });
}

/** Whether the job still runs; its rows are then some of its rows, which has to be wanted. */
async function isPartial(job: Job, options: ResultsOptions): Promise<boolean> {
  const { summary, progress } = await job.status();
  if (summary !== undefined) return false;
  if (options.partial === true) return true;
  const { items, total } = progress;
  const settled =
    total === undefined ? 'its input is being read' : `${count(items)} of ${count(total)} items are settled`;
  throw new UsageError(
    'InvalidRequest',
    `job ${job.id} is still running, ${settled}; wait with "${hint('watch', job.id, options)}", or take what there is with --partial`,
  );
}
