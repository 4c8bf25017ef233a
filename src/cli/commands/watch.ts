import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { AskedOutput } from '../jobs/asked-output.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openDelivery } from '../jobs/delivery.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { awaitJob, exitCodeOf, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';
import { withRows } from '../view/row-choice.ts';
import type { RowOutputOptions } from '../view/row-output.ts';
import { counted } from '../wording.ts';

interface WatchOptions extends TargetOptions, OutputOptions, RowOutputOptions {}

export function define(command: Command, { terminal, signal, finish }: CommandContext): void {
  withOutput(withRows(withWorkers(withTarget(command))))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: WatchOptions) => {
      if (job !== undefined) requireJobId(job);
      await using jobs = await openJobs(options, { resume: true, signal });
      const context = { ...jobs, terminal, options, signal };
      const watched = await chooseJob(jobs.fanloop, job);
      const asked = options.out === undefined ? new AskedOutput(options).of(watched.id) : options;
      const out = asked?.out;
      await using delivery =
        asked === undefined ? undefined : await openDelivery({ ...options, ...asked }, { terminal, signal });
      delivery?.keep(watched.id);
      const summary = await awaitJob(context, watched);
      await delivery?.write(watched);
      await reportJob(context, summary);
      if (out !== undefined && out !== '-' && options.json !== true && options.quiet !== true) {
        terminal.say(`${counted(summary.items, 'row')} in ${out}`);
      }
      finish(exitCodeOf(summary));
    });
}
