import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { findProject } from '../../bundle/project.ts';
import { UsageError } from '../../task/errors.ts';
import type { CommandContext } from '../command-context.ts';

const firstTask = `import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'fanloop';
import * as z from 'zod';

/** The name of this file is the task's name: npx fanloop run hello Ada Grace */
export const task = defineTask({
  description: 'Waits a moment, then greets',
  input: z.string().min(1),
  example: 'Ada',
  run: async (name, { signal }) => {
    // In place of this comes what you have to wait for: a request, a file, a database. Pass the signal on, so that it can be aborted.
    await sleep(100, undefined, { signal });
    return \`Hello, \${name}!\`;
  },
});
`;

export function define(command: Command, { terminal }: CommandContext): void {
  command.action(() => {
    const { root, tasks = path.join(root, 'tasks') } = findProject(process.cwd());
    const file = path.join(tasks, 'hello.ts');
    const relative = path.relative(process.cwd(), file);
    if (existsSync(file))
      throw new UsageError('InvalidOptions', `expected no ${relative} yet, got one; it was left as it is`);
    const manifest = path.join(root, 'package.json');
    const text = existsSync(manifest) ? readFileSync(manifest, 'utf8') : '{}\n';
    const changed = withTasks(text, { folder: path.relative(root, tasks).replaceAll(path.sep, '/'), manifest });
    mkdirSync(tasks, { recursive: true });
    // Another process may have made it since.
    writeFileSync(file, firstTask, { flag: 'wx' });
    terminal.say(`made ${relative}`);
    if (changed !== undefined) {
      writeFileSync(manifest, changed);
      terminal.say(`"fanloop" in ${path.relative(process.cwd(), manifest)} says where tasks are`);
    }
    terminal.say('Next:  npx fanloop run hello Ada Grace');
  });
}

/** The package.json with where tasks are and with zod, which the first task uses; undefined where it says both already. */
function withTasks(
  text: string,
  { folder, manifest }: { readonly folder: string; readonly manifest: string },
): string | undefined {
  const parsed = parse(text, manifest);
  const zod = zodVersion();
  const dependencies = asObject(parsed['dependencies']);
  const lacksZod =
    zod !== undefined && dependencies['zod'] === undefined && asObject(parsed['devDependencies'])['zod'] === undefined;
  if (parsed['fanloop'] !== undefined && !lacksZod) return undefined;
  const changed = {
    ...parsed,
    ...(lacksZod && { dependencies: { ...dependencies, zod: `^${zod}` } }),
    fanloop: parsed['fanloop'] ?? { tasks: folder },
  };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  ';
  return `${JSON.stringify(changed, undefined, indent)}\n`;
}

/** The version that is installed with this package, so that nothing has to be downloaded. */
function zodVersion(): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(new URL(import.meta.resolve('zod/package.json')), 'utf8'));
    return String(asObject(manifest)['version']);
  } catch {
    return undefined;
  }
}

function parse(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch (cause) {
    throw new UsageError('InvalidInput', `expected ${file} to be JSON, got ${String(cause)}`, { cause });
  }
}

/** An object that came out of JSON has string keys and unknown values. */
const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
