import type { Command } from 'commander';
import { readSummary } from '../../folder/read.ts';
import { SettledChunks } from '../../folder/settled-chunks.ts';
import { openTarget } from '../../targets/open-target.ts';
import type { Target } from '../../targets/target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { UsageError } from '../../task/errors.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { exitCodeOf } from '../jobs/ended.ts';
import { requireManifest } from '../jobs/follow.ts';
import { writeRows } from '../jobs/run-job.ts';
import { withTarget, withWorkers } from '../options.ts';
import { hint } from '../view/hint.ts';
import { type RowOutput, rowsToFile, rowsToStdout } from '../view/row-output.ts';
import { count } from '../wording.ts';

interface ResultsOptions extends TargetOptions {
  readonly out?: string;
  readonly failed?: boolean;
  readonly partial?: boolean;
}

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withWorkers(withTarget(command))
    .argument('[job]', 'id of the job (default: the newest)')
    .option('--out <file>', 'write the rows to a file (default: standard output)')
    .option('--failed', 'only rows of items that failed')
    .option('--partial', 'of a running job, the rows that are there')
    .action(async (job: string | undefined, options: ResultsOptions) => {
      if (job !== undefined) requireJobId(job);
      const output =
        options.out === undefined || options.out === '-' ? rowsToStdout(terminal) : await rowsToFile(options.out);
      const target = await openTarget(options, { resume: false });
      try {
        const jobId = await chooseJob(target, job);
        await requireReadable(target, jobId, options);
        await writeRows({ target, signal }, jobId, chosenRows(output, options));
        await output.finish();
      } finally {
        await output.discard();
        await target.close();
      }
    });
}

const chosenRows =
  (output: RowOutput, options: ResultsOptions): RowOutput['write'] =>
  (rows) =>
    output.write(options.failed === true ? rows.filter((row) => row.status === 'failed') : rows);

/** Rows of a running job are some of its rows, which has to be wanted. */
async function requireReadable(target: Target, jobId: string, options: ResultsOptions): Promise<void> {
  const { store } = target.steer;
  await requireManifest(target.steer, jobId);
  const summary = await readSummary(store, jobId);
  if (summary !== undefined) exitCodeOf(summary);
  if (summary !== undefined || options.partial === true) return;
  const { items, of } = await new SettledChunks(store, jobId).refresh();
  const settled =
    of === undefined ? 'its input is being read' : `${count(items)} of ${count(of.items)} items are settled`;
  throw new UsageError(
    'InvalidRequest',
    `job ${jobId} is still running, ${settled}; wait with "${hint('watch', jobId, options)}", or take what there is with --partial`,
  );
}
