import { findProject } from '../bundle/project.ts';
import { openProjectTasks, type ProjectTasks, type TaskOrigin } from '../bundle/project-tasks.ts';
import { BrokenTaskFile } from '../bundle/task-cache.ts';
import { nearestName } from '../nearest.ts';
import { UsageError } from '../task/errors.ts';
import type { Task } from '../task/task.ts';

/** Which tasks are meant. */
export interface TaskOptions {
  /** Folder of own tasks. @default `tasks` beside the nearest package.json, or the one that it names */
  readonly tasks?: string;
}

/** A task of the listing. */
export interface ListedTask extends TaskOrigin {
  /** Absent when its file cannot be used. */
  readonly task?: Task;
  /** Why its file cannot be used. */
  readonly problem?: string;
}

/** Names of the tasks in alphabetical order. @throws UsageError when there is no such folder of tasks */
export const taskNames = (options: TaskOptions = {}): readonly string[] =>
  open(options)
    .list()
    .map(({ name }) => name);

/** Loads one task. @throws UsageError `UnknownTask`, with the nearest name, or with file and line of what is wrong */
export async function loadTask(name: string, options: TaskOptions = {}): Promise<Task> {
  const tasks = open(options);
  const task = await tasks.load(name).catch((cause: unknown) => {
    if (cause instanceof BrokenTaskFile) throw new UsageError('UnknownTask', cause.message, { cause });
    throw cause;
  });
  if (task !== undefined) return task;
  const names = tasks.list().map((known) => known.name);
  const suggestion = nearestName(name, names);
  const hint = suggestion === undefined ? `the tasks are ${names.join(', ')}` : `did you mean "${suggestion}"?`;
  throw new UsageError('UnknownTask', `expected the name of a task, got "${name}"; ${hint}`);
}

/** Loads all tasks; one that is broken hides no other. */
export async function loadTasks(options: TaskOptions = {}): Promise<readonly ListedTask[]> {
  const tasks = open(options);
  const listed: ListedTask[] = [];
  for (const origin of tasks.list()) {
    try {
      const task = await tasks.load(origin.name);
      if (task !== undefined) listed.push({ ...origin, task });
    } catch (error) {
      if (!(error instanceof BrokenTaskFile)) throw error;
      // A helper that has the word in it is no task that somebody would miss.
      if (!error.isHelper) listed.push({ ...origin, problem: error.message });
    }
  }
  return listed;
}

function open({ tasks }: TaskOptions): ProjectTasks {
  try {
    return openProjectTasks(findProject(process.cwd(), tasks));
  } catch (error) {
    // A folder that is not there, or a package.json that names none, is the caller's to mend.
    if (error instanceof Error && error.message.startsWith('expected '))
      throw new UsageError('InvalidOptions', error.message, { cause: error });
    throw error;
  }
}
