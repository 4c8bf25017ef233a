import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { ifInterrupted } from '../interrupt.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { prepareJob } from '../jobs/prepare.ts';
import { noJob, startJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { hint } from '../view/hint.ts';
import { type JobInputOptions, showHelp, withJobInput } from './job-input.ts';

type SubmitOptions = JobInputOptions & OutputOptions;

export function define(command: Command, context: CommandContext): void {
  withOutput(withJobInput(command)).action(
    async (task: string | undefined, items: readonly string[], options: SubmitOptions) => {
      if (await showHelp(command, task, context)) return;
      const prepared = await ifInterrupted(noJob, prepareJob(task, items, { ...options, signal: context.signal }));
      // The cloud of this process ends with it, so work that it began would only be cut off.
      await using jobs = await ifInterrupted(
        noJob,
        openJobs(options, { resume: false, submits: true, signal: context.signal }),
      );
      const { id } = await startJob({ ...context, ...jobs, options }, prepared, { inline: false });
      if (options.json !== true) await context.terminal.data(`${id}\n`);
      if (options.json === true || options.quiet === true) return;
      context.terminal.say(
        jobs.stack.outlivesProcess()
          ? `it runs; "${hint('watch', id, options)}" follows it`
          : `the embedded cloud ends with this command; "${hint('watch', id, options)}" runs the job`,
      );
    },
  );
}
