import { isTask, type Task } from './task.ts';

/** The tasks of a deployment by name: each is loaded when it is first needed, so that one that is heavy or broken costs the others nothing. */
export interface TaskRegistry {
  /** Names of all tasks, in alphabetical order. */
  names(): readonly string[];
  /**
   * Loads a task; undefined where none has the name.
   *
   * @param secretHeaders of the job whose calls it will make: their secrets are read before the first one
   * @throws Error that says why its module cannot be loaded
   */
  load(name: string, secretHeaders?: Readonly<Record<string, string>>): Promise<Task | undefined>;
}

/** A registry of tasks that are loaded already. */
export const registryOf = (tasks: Readonly<Record<string, Task>>): TaskRegistry => ({
  names: () => Object.keys(tasks).sort(),
  load: async (name) => (Object.hasOwn(tasks, name) ? tasks[name] : undefined),
});

/** A registry of modules, each with an export `task`, that are loaded once. */
export function lazyRegistry(modules: Readonly<Record<string, () => Promise<unknown>>>): TaskRegistry {
  const loading = new Map<string, Promise<Task>>();
  return {
    names: () => Object.keys(modules).sort(),
    load: async (name) => {
      const load = Object.hasOwn(modules, name) ? modules[name] : undefined;
      if (load === undefined) return undefined;
      const known = loading.get(name) ?? load().then((module) => taskOf(module, name));
      loading.set(name, known);
      return known;
    },
  };
}

/** The task that a module exports; a CommonJS module has its exports in `default`. @throws Error when there is none */
export function taskOf(module: unknown, name: string): Task {
  for (let place = module; typeof place === 'object' && place !== null; ) {
    if ('task' in place && isTask(place.task)) return place.task;
    if (!('default' in place)) break;
    place = place.default;
  }
  throw new Error(`expected the file of the task "${name}" to export "task", made by defineTask`);
}
