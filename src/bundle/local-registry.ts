import { readdirSync, readFileSync } from 'node:fs';
import { rememberVersion } from '../task/check-mark.ts';
import type { TaskRegistry } from '../task/registry.ts';
import { taskOf } from '../task/registry.ts';
import type { Task } from '../task/task.ts';
import { findTaskFile } from './task-files.ts';

/** What stands beside a task's bundle: `task-<name>.json`. */
export interface TaskPointer {
  /** The bundle's file; its name changes with its content. Absent where the file exports no task. */
  readonly module?: string;
  /** Faces that it requires as CommonJS: they have to be loaded before. */
  readonly required: readonly string[];
  /** Size and time of each file that it was made from. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** The file of a task's bundle without its ending; a plus sign is in no name, so it can stand for the slash. */
export const taskModule = (name: string): string => `task-${name.replaceAll('/', '+')}`;

/** Where the tasks of a project are bundled on this machine. */
export interface LocalTasks {
  /** URL of the folder with the engine and the bundles, with a slash at its end. */
  readonly base: string;
  /** Names of the tasks that come along. */
  readonly builtIn: readonly string[];
  /** Absolute path of the folder of own tasks; undefined where there is none. */
  readonly tasks: string | undefined;
  /** Bundles an own task that nobody has used yet; loading what does so takes longer than a small job, so only then. */
  readonly prepare: (name: string) => Promise<TaskPointer | undefined>;
  /** Whether own tasks are looked at. @default true */
  readonly own?: boolean;
}

/**
 * The tasks of a project on this machine: own ones are bundled by themselves when they are first used. A command that finds a task
 * changed writes a new bundle and points to it, so the next load is of the new one, in a process that runs already too.
 */
export function localRegistry({ base, builtIn, tasks, prepare, own = true }: LocalTasks): TaskRegistry {
  // Names of folder and file have the hashes of what is in them: together they name the code, wherever it stands.
  const load = async (file: string, name: string): Promise<Task> => {
    const { href } = new URL(file, base);
    return rememberVersion(taskOf(await import(href), name), href.split('/').slice(-2).join('/'));
  };
  const isOwn = (name: string): boolean => tasks !== undefined && findTaskFile(tasks, name) !== undefined;
  return {
    names: () => [...new Set([...builtIn, ...preparedNames(base)])].sort(),
    load: async (name) => {
      const known = own ? readPointer(base, name) : undefined;
      const pointer = known ?? (own && isOwn(name) ? await prepare(name) : undefined);
      if (pointer?.module !== undefined) {
        for (const face of pointer.required) await import(new URL(face, base).href);
        return load(pointer.module, name);
      }
      return builtIn.includes(name) ? load(`builtin-${name}.mjs`, name) : undefined;
    },
  };
}

/** Reads what stands beside a task's bundle; undefined where it has none yet. */
export function readPointer(base: string, name: string): TaskPointer | undefined {
  try {
    // `task-cache.ts` wrote it.
    return JSON.parse(readFileSync(new URL(`${taskModule(name)}.json`, base), 'utf8')) as TaskPointer;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const preparedNames = (base: string): readonly string[] =>
  readdirSync(new URL(base)).flatMap((file) => {
    const [, module] = /^task-([^.]*)\.json$/.exec(file) ?? [];
    return module === undefined ? [] : [module.replaceAll('+', '/')];
  });
