import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearestName } from '../nearest.ts';
import { UsageError } from '../task/errors.ts';
import { isTask, type Task, type TaskRegistry } from '../task/task.ts';

const folder = path.resolve(import.meta.dirname, '../../lambdas/tasks');

/** Names of the tasks: their files', in alphabetical order. */
export async function taskNames(): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** Loads one task. @throws UsageError `UnknownTask`, with the nearest name */
export async function loadTask(name: string): Promise<Task> {
  const names = await taskNames();
  if (!names.includes(name)) {
    const suggestion = nearestName(name, names);
    const hint = suggestion === undefined ? `the tasks are ${names.join(', ')}` : `did you mean "${suggestion}"?`;
    throw new UsageError('UnknownTask', `expected the name of a task, got "${name}"; ${hint}`);
  }
  return importTask(name);
}

/** Loads all tasks. */
export async function loadTasks(): Promise<TaskRegistry> {
  const names = await taskNames();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await importTask(name)] as const)));
}

async function importTask(name: string): Promise<Task> {
  const file = path.join(folder, `${name}.ts`);
  const module: unknown = await import(pathToFileURL(file).href).catch((cause: unknown) => {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new UsageError('UnknownTask', `expected ${file} to load, got ${reason}`, { cause });
  });
  const task = typeof module === 'object' && module !== null && 'task' in module ? module.task : undefined;
  if (!isTask(task)) throw new UsageError('UnknownTask', `expected ${file} to export "task", made by defineTask`);
  return task;
}
