import { type Command, Option } from 'commander';
import type { Task } from '../../task/task.ts';
import type { CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type ListedTask, loadTasks, type TaskOptions } from '../tasks.ts';
import { schemaShape } from '../view/schema-shape.ts';
import { shellQuote } from '../view/task-help.ts';
import { duration } from '../wording.ts';

interface TasksOptions extends TaskOptions {
  readonly json?: boolean;
}

export function define(command: Command, { terminal, finish }: CommandContext): void {
  command
    .option('--json', 'write one JSON object a line')
    .addOption(new Option('--tasks <dir>', 'folder of your tasks (default: tasks/ beside the nearest package.json)'))
    .action(async (options: TasksOptions) => {
      const listed = await loadTasks(options);
      for (const one of listed) {
        if (one.task !== undefined)
          await terminal.data(options.json === true ? asJson(one, one.task) : asText(one, one.task));
      }
      for (const { name, problem } of listed) {
        if (problem === undefined) continue;
        terminal.say(`fanloop: the task "${name}" cannot be used: ${problem}`);
        finish(exitCodes.failed);
      }
      if (options.json !== true) await terminal.data('"fanloop run TASK --help" shows what an item looks like.\n');
    });
}

function asJson({ name, file }: ListedTask, { description, example, timeoutMs, attempts, input }: Task): string {
  return `${JSON.stringify({ name, file, description, input: schemaShape(input), example, timeoutMs, attempts })}\n`;
}

function asText(
  { name, file, replaces }: ListedTask,
  { description, example, timeoutMs, attempts, input }: Task,
): string {
  const shape = schemaShape(input);
  const item = typeof example === 'string' ? example : JSON.stringify(example);
  const instead = replaces ? `, instead of the one that comes along` : '';
  return [
    `${name}: ${description}\n`,
    file === undefined ? '' : `  ${file}${instead}\n`,
    shape === undefined ? '' : `  item: ${onOneLine(shape)}\n`,
    `  fanloop run ${name} ${shellQuote(item)}\n`,
    `  ${duration(timeoutMs)} an attempt, ${attempts} attempts\n\n`,
  ].join('');
}

/** A shape's fields with commas between them instead of line ends. */
const onOneLine = (shape: string): string =>
  shape.replaceAll(/([^{\s])\n\s*(?=[^}\s])/g, '$1, ').replaceAll(/\n\s*/g, ' ');
