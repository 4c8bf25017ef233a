import type { Command } from 'commander';
import { openTarget } from '../../targets/open-target.ts';
import type { CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { ifInterrupted } from '../interrupt.ts';
import { exitCodeOf } from '../jobs/ended.ts';
import { prepareJob } from '../jobs/prepare.ts';
import { awaitJob, noJob, reportJob, startJob, writeRows } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { hint } from '../view/hint.ts';
import { type RowOutput, rowsToFile, rowsToStdout } from '../view/row-output.ts';
import { count } from '../wording.ts';
import { type JobInputOptions, showHelp, withJobInput } from './job-input.ts';

interface RunOptions extends JobInputOptions, OutputOptions {
  readonly out?: string;
}

/** More rows than this are not poured onto a screen. */
const rowsOnScreen = 25;

export function define(command: Command, context: CommandContext): void {
  withOutput(
    withJobInput(command).option('--out <file>', 'write the rows to a file (default: standard output)'),
  ).action(async (task: string | undefined, items: readonly string[], options: RunOptions) => {
    if (await showHelp(command, task, context)) return;
    context.finish(await run({ task, items, options }, context));
  });
}

async function run(
  asked: { readonly task: string | undefined; readonly items: readonly string[]; readonly options: RunOptions },
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  const { options } = asked;
  const output =
    options.out === undefined || options.out === '-' ? rowsToStdout(terminal) : await rowsToFile(options.out);
  const prepared = await ifInterrupted(noJob, prepareJob(asked.task, asked.items, { ...options, signal }));
  const target = await openTarget(options, { resume: true });
  const context = { target, terminal, options, signal };
  try {
    const { jobId } = await startJob(context, prepared);
    const summary = await awaitJob(context, jobId);
    const code = exitCodeOf(summary);
    const unseen = summary.items > rowsOnScreen && options.out === undefined && terminal.dataIsSeen;
    const wanted = options.out !== undefined || (options.json !== true && !unseen);
    if (wanted) await deliver(output, (write) => writeRows(context, jobId, write));
    await reportJob(context, summary);
    if (unseen && options.json !== true)
      terminal.say(`${count(summary.items)} rows: ${hint('results', jobId, options)} --out FILE`);
    return code;
  } finally {
    await output.discard();
    await target.close();
  }
}

async function deliver(output: RowOutput, writeTo: (write: RowOutput['write']) => Promise<number>): Promise<void> {
  await writeTo(output.write);
  await output.finish();
}
