import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { ifInterrupted } from '../interrupt.ts';
import { openDelivery } from '../jobs/delivery.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { prepareJob } from '../jobs/prepare.ts';
import { awaitJob, exitCodeOf, noJob, reportJob, startJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { hint } from '../view/hint.ts';
import { withRows } from '../view/row-choice.ts';
import type { RowOutputOptions } from '../view/row-output.ts';
import { count } from '../wording.ts';
import { type JobInputOptions, showHelp, withJobInput } from './job-input.ts';

interface RunOptions extends JobInputOptions, OutputOptions, RowOutputOptions {}

/** More rows than this are not poured onto a screen. */
const rowsOnScreen = 25;

export function define(command: Command, context: CommandContext): void {
  withOutput(withRows(withJobInput(command))).action(
    async (task: string | undefined, items: readonly string[], options: RunOptions) => {
      if (await showHelp(command, task, context)) return;
      context.finish(await run({ task, items, options }, context));
    },
  );
}

async function run(
  asked: { readonly task: string | undefined; readonly items: readonly string[]; readonly options: RunOptions },
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  const { options } = asked;
  await using delivery = await openDelivery(options, { terminal, signal });
  const prepared = await ifInterrupted(noJob, prepareJob(asked.task, asked.items, { ...options, signal }));
  await using jobs = await ifInterrupted(noJob, openJobs(options, { resume: true, submits: true, signal }));
  const context = { ...jobs, terminal, options, signal };
  const job = await startJob(context, prepared, { inline: true, onId: (jobId) => delivery.keep(jobId) });
  const summary = await awaitJob(context, job);
  const unseen = summary.items > rowsOnScreen && options.out === undefined && terminal.dataIsSeen;
  if (options.out !== undefined || (options.json !== true && !unseen)) await delivery.write(job);
  await reportJob(context, summary);
  if (unseen && options.json !== true)
    terminal.say(`${count(summary.items)} rows: ${hint('results', job.id, options)} --out FILE`);
  return exitCodeOf(summary);
}
