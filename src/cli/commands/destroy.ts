import type { Command } from 'commander';
import { defaultStackName } from '../../runtime/stack-settings.ts';
import { ask } from '../ask.ts';
import type { CommandContext } from '../command-context.ts';
import { withTarget } from '../options.ts';
import { openAccount, type StackOptions } from './stack-target.ts';

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withTarget(command)
    .option('--yes', 'do not ask before something is removed from AWS')
    .option('--quiet', 'say nothing but errors')
    .action(async (options: StackOptions) => {
      const say = options.quiet === true ? () => {} : terminal.say;
      const { account, deployment } = await openAccount(options, 'destroy');
      const stackName = options.stack ?? defaultStackName;
      say(`stack ${stackName} with all its jobs and its table in account ${account.id}, region ${account.region}`);
      if (deployment.asksFirst && options.yes !== true && !(await ask('Remove it?', signal))) return;
      if (!(await deployment.destroy(options, { stackName, signal, onProgress: say })))
        say(`there is no stack ${stackName}`);
    });
}
