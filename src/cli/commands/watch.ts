import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { AskedOutput } from '../jobs/asked-output.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openDelivery } from '../jobs/delivery.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { awaitJob, exitCodeOf, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';
import { counted } from '../wording.ts';

interface WatchOptions extends TargetOptions, OutputOptions {
  readonly out?: string;
}

export function define(command: Command, { terminal, signal, finish }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .option('--out <file>', 'write the rows to a file (default: where "run" was asked to)')
    .action(async (job: string | undefined, options: WatchOptions) => {
      if (job !== undefined) requireJobId(job);
      await using jobs = await openJobs(options, { resume: true, signal });
      const context = { ...jobs, terminal, options, signal };
      const watched = await chooseJob(jobs.fanloop, job);
      const out = options.out ?? new AskedOutput(options).of(watched.id);
      await using delivery =
        out === undefined ? undefined : await openDelivery({ ...options, out }, { terminal, signal });
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
