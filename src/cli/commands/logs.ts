import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import { loadTarget } from '../../targets/targets.ts';
import type { CommandContext } from '../command-context.ts';
import { chooseJob, requireJobId } from '../jobs/choose-job.ts';
import { openJobs } from '../jobs/open-jobs.ts';
import { withTarget } from '../options.ts';
import { formatLogLine } from '../view/log-line.ts';

interface LogsOptions extends TargetOptions {
  readonly json?: boolean;
}

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withTarget(command)
    .argument('[job]', 'id of the job (default: the newest)')
    .option('--json', 'write the lines as they were logged: one JSON object a line')
    .action(async (job: string | undefined, options: LogsOptions) => {
      const jobId = job === undefined ? await newestJob(options, signal) : requireJobId(job);
      const target = await loadTarget(options.target);
      target.check(options);
      const lines = await target.logs(options, jobId);
      if (lines.length === 0) {
        await requireJob(jobId, options, signal);
        terminal.say(`no function has logged anything about job ${jobId}`);
      }
      for (const line of lines) {
        if (!(await terminal.data(`${options.json === true ? line.text : formatLogLine(line)}\n`))) break;
      }
    });
}

async function newestJob(options: LogsOptions, signal: AbortSignal): Promise<string> {
  await using jobs = await openJobs(options, { resume: false, signal });
  return (await chooseJob(jobs.fanloop, undefined)).id;
}

/** @throws UsageError `JobNotFound` */
async function requireJob(jobId: string, options: LogsOptions, signal: AbortSignal): Promise<void> {
  await using jobs = await openJobs(options, { resume: false, signal });
  await jobs.fanloop.find(jobId).status();
}
