import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { loadTasks } from '../tasks.ts';
import { schemaShape } from '../view/schema-shape.ts';
import { shellQuote } from '../view/task-help.ts';
import { duration } from '../wording.ts';

export function define(command: Command, { terminal }: CommandContext): void {
  command.option('--json', 'write one JSON object a line').action(async (options: { readonly json?: boolean }) => {
    for (const [name, task] of Object.entries(await loadTasks())) {
      const { description, example, timeoutMs, attempts } = task;
      if (options.json === true) {
        const input = schemaShape(task.input);
        await terminal.data(`${JSON.stringify({ name, description, input, example, timeoutMs, attempts })}\n`);
        continue;
      }
      const shape = schemaShape(task.input);
      const item = typeof example === 'string' ? example : JSON.stringify(example);
      await terminal.data(
        `${name}: ${description}\n${shape === undefined ? '' : `  item: ${onOneLine(shape)}\n`}  fanloop run ${name} ${shellQuote(item)}\n  ${duration(timeoutMs)} an attempt, ${attempts} attempts\n\n`,
      );
    }
    if (options.json !== true) await terminal.data('"fanloop run TASK --help" shows what an item looks like.\n');
  });
}

/** A shape's fields with commas between them instead of line ends. */
const onOneLine = (shape: string): string =>
  shape.replaceAll(/([^{\s])\n\s*(?=[^}\s])/g, '$1, ').replaceAll(/\n\s*/g, ' ');
