import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import { loadTarget } from '../../targets/targets.ts';
import type { CommandContext } from '../command-context.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { withTarget } from '../options.ts';
import { formatLogLine } from '../view/log-line.ts';

interface LogsOptions extends TargetOptions {
  readonly json?: boolean;
}

export function define(command: Command, { terminal }: CommandContext): void {
  withTarget(command)
    .argument('<job>', 'id of the job')
    .option('--json', 'write the lines as they were logged: one JSON object a line')
    .action(async (job: string, options: LogsOptions) => {
      const jobId = requireJobId(job);
      const target = await loadTarget(options.target);
      target.check(options);
      const lines = await target.logs(options, jobId);
      if (lines.length === 0) terminal.say(`no function has logged anything about job ${job}`);
      for (const line of lines) {
        if (!(await terminal.data(`${options.json === true ? line.text : formatLogLine(line)}\n`))) break;
      }
    });
}
