import type { Command } from 'commander';
import { lastTick, readControl, readSummary } from '../../folder/read.ts';
import { SettledChunks } from '../../folder/settled-chunks.ts';
import { sendDueTick } from '../../job/due-tick.ts';
import { openTarget } from '../../targets/open-target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { isOverdue, progressOf, requireManifest } from '../jobs/follow.ts';
import { type JobContext, reportJob } from '../jobs/run-job.ts';
import { type OutputOptions, withOutput, withTarget, withWorkers } from '../options.ts';
import { progressDetails } from '../view/details.ts';
import { hint } from '../view/hint.ts';

type StatusOptions = TargetOptions & OutputOptions;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withOutput(withWorkers(withTarget(command)))
    .argument('[job]', 'id of the job (default: the newest)')
    .action(async (job: string | undefined, options: StatusOptions) => {
      if (job !== undefined) requireJobId(job);
      const target = await openTarget(options, { resume: false });
      const context = { target, terminal, options, signal };
      try {
        await showStatus(context, await chooseJob(target, job));
      } finally {
        await target.close();
      }
    });
}

async function showStatus(context: JobContext, jobId: string): Promise<void> {
  const { target, terminal, options } = context;
  const { store, clock } = target.steer;
  const manifest = await requireManifest(target.steer, jobId);
  const summary = await readSummary(store, jobId);
  if (summary !== undefined) {
    if (options.json !== true) await terminal.data(`job ${jobId}: ${manifest.task}, ${summary.end}\n`);
    return reportJob(context, summary);
  }
  const [tick, control, count] = await Promise.all([
    lastTick(store, jobId),
    readControl(store, jobId),
    new SettledChunks(store, jobId).refresh(),
  ]);
  const progress = progressOf(manifest, { now: clock.now(), count, tick });
  const state = control?.state === 'cancelled' ? 'cancelling' : 'running';
  if (options.json === true) {
    await terminal.data(`${JSON.stringify({ type: 'progress', state, ...progress })}\n`);
  } else {
    await terminal.data(`job ${jobId}: ${manifest.task}, ${state}, ${progressDetails(progress).join(', ')}\n`);
  }
  // In the cloud of this process, which ends with it, a turn would only be cut off.
  if (!target.outlivesProcess()) terminal.say(`nothing runs it now; "${hint('watch', jobId, options)}" does`);
  else if (isOverdue(tick, manifest, clock.now())) await sendDueTick(target.steer, jobId);
}
