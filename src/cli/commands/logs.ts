import type { Command } from 'commander';
import { defaultStateFolder } from '../../targets/state-folder.ts';
import { checkTarget, type TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { formatLogLine, type LogLine } from '../logs/log-line.ts';
import { withTarget } from '../options.ts';

interface LogsOptions extends TargetOptions {
  readonly json?: boolean;
}

export function define(command: Command, { terminal }: CommandContext): void {
  withTarget(command)
    .argument('<job>', 'id of the job')
    .option('--json', 'write the lines as they were logged: one JSON object a line')
    .action(async (job: string, options: LogsOptions) => {
      checkTarget(options);
      const lines = await readLogs(requireJobId(job), options);
      if (lines.length === 0) terminal.say(`no function has logged anything about job ${job}`);
      for (const line of lines) {
        if (!(await terminal.data(`${options.json === true ? line.text : formatLogLine(line)}\n`))) break;
      }
    });
}

async function readLogs(jobId: string, options: TargetOptions): Promise<readonly LogLine[]> {
  if (options.target === 'embedded') {
    const { readFolderLogs } = await import('../logs/folder-logs.ts');
    return readFolderLogs(options.state ?? defaultStateFolder(), jobId);
  }
  const [{ connectionOf, readOutputs }, { readCloudWatchLogs }] = await Promise.all([
    import('../../targets/deployed.ts'),
    import('../logs/cloud-watch-logs.ts'),
  ]);
  const connection = connectionOf(options);
  return readCloudWatchLogs(connection, await readOutputs(connection, options), jobId);
}
