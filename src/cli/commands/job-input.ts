import type { Command } from 'commander';
import type { TargetOptions } from '../../targets/target-options.ts';
import type { CommandContext } from '../command-context.ts';
import { withItems } from '../input/options.ts';
import type { InputOptions } from '../jobs/prepare.ts';
import { type LimitFlags, withJobLimits } from '../limit-options.ts';
import { type LimitOptions, withLimits, withTarget, withWorkers } from '../options.ts';
import { loadTask } from '../tasks.ts';
import { taskHelp } from '../view/task-help.ts';

/** Options that `run` and `submit` share. */
export interface JobInputOptions extends InputOptions, LimitOptions, LimitFlags, TargetOptions {
  readonly help?: boolean;
}

/** Adds the arguments and options that say what is run; `--help` after a task's name explains the task. */
export function withJobInput(command: Command): Command {
  return withJobLimits(
    withLimits(
      withWorkers(
        withTarget(
          withItems(command)
            .usage('[options] <task> [item...]')
            .argument('[task]', '"fanloop tasks" lists them; "--help" after its name explains one')
            .argument('[items...]', 'items, each as JSON, or as plain text where the task takes a text')
            .helpOption(false)
            .option('-h, --help', 'show this help'),
        ),
      ),
    ),
  );
}

/** Shows the help that was asked for; false when none was. */
export async function showHelp(
  command: Command,
  task: string | undefined,
  { terminal }: CommandContext,
): Promise<boolean> {
  if (command.opts<JobInputOptions>().help !== true) return false;
  if (task === undefined) command.outputHelp();
  else await terminal.data(taskHelp(task, await loadTask(task, command.opts<JobInputOptions>())));
  return true;
}
