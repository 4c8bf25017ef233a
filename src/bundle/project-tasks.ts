import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Task } from '../task/task.ts';
import { guardedLoad } from './guarded-load.ts';
import { type LocalCode, localCode } from './local-code.ts';
import { localRegistry } from './local-registry.ts';
import type { Project } from './project.ts';
import { BrokenTaskFile, prepareTask, type TaskCacheOptions } from './task-cache.ts';
import { findTaskFile, findTaskFiles } from './task-files.ts';

/** Where a task comes from. */
export interface TaskOrigin {
  readonly name: string;
  /** The project's own file, from the project's root; absent for a task that comes along. */
  readonly file?: string;
  /** Whether an own task takes the place of one that comes along. */
  readonly replaces: boolean;
}

/** The tasks of a project as this process uses them: the same bundles as the functions load. */
export interface ProjectTasks {
  readonly code: LocalCode;
  /** Absolute path of the folder of own tasks; undefined where there is none. */
  readonly folder: string | undefined;
  /** All tasks in the order of their names, without loading any; helper files that export none may be among them. */
  list(): readonly TaskOrigin[];
  /**
   * Loads one task, bundled anew where its files have changed; undefined where none has the name.
   *
   * @throws BrokenTaskFile that names file, line, and what is wrong
   */
  load(name: string): Promise<Task | undefined>;
  /** Bundles anew what was used before and has changed since, so that jobs that go on, and programs, use it. */
  refresh(): Promise<void>;
}

/** Opens the tasks of a project; nothing of it is loaded yet. */
export function openProjectTasks(project: Project, cache?: string): ProjectTasks {
  const code = localCode(project, cache);
  const { base, builtIn } = code;
  const own: TaskCacheOptions = { tasks: project.tasks, base };
  const registry = localRegistry({ ...own, builtIn, prepare: (name) => prepareTask(name, own) });
  const fileOf = (name: string): string | undefined => {
    const file = project.tasks === undefined ? undefined : findTaskFile(project.tasks, name)?.file;
    return file === undefined ? undefined : path.relative(project.root, file);
  };
  return {
    code,
    folder: project.tasks,
    list: () => listTasks(project, builtIn),
    load: async (name) => {
      const file = fileOf(name);
      if (file === undefined) return builtIn.includes(name) ? withoutOwn(code).load(name) : undefined;
      const pointer = await prepareTask(name, own);
      if (pointer?.module === undefined && !builtIn.includes(name))
        throw new BrokenTaskFile(`${file}: expected it to export "task", made by defineTask`, { isHelper: true });
      return guardedLoad(file, () => registry.load(name)).catch((cause: unknown) => {
        throw new BrokenTaskFile(loadProblem(cause, { file, project }), { cause });
      });
    },
    refresh: async () => {
      for (const name of registry.names().filter((known) => fileOf(known) !== undefined)) {
        await prepareTask(name, own).catch((error: unknown) => {
          if (!(error instanceof BrokenTaskFile)) throw error;
          process.emitWarning(`${error.message}; the version of "${name}" before it is used`);
        });
      }
    },
  };
}

/** The tasks that come along, whatever was bundled from files that are gone. */
const withoutOwn = ({ base, builtIn }: LocalCode) =>
  localRegistry({ base, builtIn, tasks: undefined, prepare: async () => undefined, own: false });

function listTasks({ root, tasks }: Project, builtIn: readonly string[]): readonly TaskOrigin[] {
  const own = (tasks === undefined ? [] : findTaskFiles(tasks)).filter(({ file }) => mayBeTask(file));
  const names = new Set(own.map(({ name }) => name));
  return [
    ...own.map(({ name, file }) => ({ name, file: path.relative(root, file), replaces: builtIn.includes(name) })),
    ...builtIn.filter((name) => !names.has(name)).map((name) => ({ name, replaces: false })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A helper need not be bundled to be told apart; what is sure is only seen when it is. */
const mayBeTask = (file: string): boolean => /\btask\b/.test(readFileSync(file, 'utf8'));

/** `tasks/look-up.ts:3:7: Error: no key`: the first place of the project that the stack names. */
function loadProblem(cause: unknown, { file, project }: { readonly file: string; readonly project: Project }): string {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const places = [...stack.matchAll(/(?:file:\/\/)?(\/[^\s()]+?):(\d+):(\d+)/g)];
  for (const [, place = '', line, column] of places) {
    const relative = path.relative(project.root, decodeURI(place));
    if (!relative.startsWith('..') && !relative.includes('node_modules'))
      return `${relative}:${line}:${column}: ${text}`;
  }
  return `${file}: ${text}`;
}
