import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { requireJobId } from '../jobs/choose-job.ts';
import { type AgainOptions, runAgain, withAgain } from './redrive.ts';

export function define(command: Command, context: CommandContext): void {
  withAgain(command)
    .argument('[job]', 'id of the job (default: the newest)')
    .action((job: string | undefined, options: AgainOptions) =>
      runAgain(job === undefined ? undefined : requireJobId(job), { options, choice: {} }, context),
    );
}
