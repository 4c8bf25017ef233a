import type { Command } from 'commander';
import { limits } from '../../limits.ts';
import { defaultStackName } from '../../runtime/stack-settings.ts';
import type { Account } from '../../targets/account.ts';
import { ask } from '../ask.ts';
import type { CommandContext } from '../command-context.ts';
import { withTarget, withWorkers } from '../options.ts';
import { openAccount, type StackOptions } from './stack-target.ts';

interface DeployOptions extends StackOptions {
  readonly workers?: number;
}

/** Executions that fan-out, ticks, and dead letters need beside the workers. */
const otherExecutions = 4;

export function define(command: Command, { terminal, signal }: CommandContext): void {
  withWorkers(withTarget(command), limits.minWorkers)
    .option('--yes', 'do not ask before something is changed on AWS')
    .option('--quiet', 'say nothing but errors')
    .action(async ({ workers: asked, ...options }: DeployOptions) => {
      const say = options.quiet === true ? () => {} : terminal.say;
      const { findCdk } = await import('../../targets/cdk.ts');
      findCdk();
      const { account, deployment } = await openAccount(options, 'deploy');
      const stackName = options.stack ?? defaultStackName;
      const workers = asked ?? workersFor(account);
      say(
        `stack ${stackName} with ${workers} workers in account ${account.id}, region ${account.region}, as ${account.arn}`,
      );
      if (asked === undefined && workers < limits.workers) {
        say(`the account allows ${account.concurrentExecutions} executions at once, so ${workers} are workers`);
      }
      if (deployment.asksFirst && options.yes !== true && !(await ask('Deploy it?', signal))) return;
      const how = { settings: { stackName, workers }, account, signal, onProgress: say };
      const { changed } = await deployment.deploy(options, how);
      say(changed ? `deployed; "fanloop run TASK … --target ${options.target}" uses it` : 'nothing had to change');
    });
}

/** New accounts allow 10 executions at once; a stack has at least two workers. */
const workersFor = ({ concurrentExecutions }: Account): number =>
  Math.max(limits.minWorkers, Math.min(limits.workers, concurrentExecutions - otherExecutions));
