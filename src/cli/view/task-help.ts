import type { Task } from '../../task/task.ts';
import { duration } from '../wording.ts';
import { schemaShape } from './schema-shape.ts';

/** What `fanloop run TASK --help` says: the task's purpose, what an item looks like, an example, and its limits. */
export function taskHelp(name: string, task: Task): string {
  const example = JSON.stringify(task.example);
  const shape = schemaShape(task.input);
  return [
    `${name}: ${task.description}`,
    '',
    ...(shape === undefined ? [] : ['Item:', indent(shape), '']),
    'Example:',
    `  fanloop run ${name} ${shellQuote(typeof task.example === 'string' ? task.example : example)}`,
    '',
    `One attempt may take ${duration(task.timeoutMs)}; an item has ${task.attempts} attempts. "fanloop run --help" lists all options.`,
    '',
  ].join('\n');
}

/** Quotes an argument for a POSIX shell where it needs that. */
export const shellQuote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
