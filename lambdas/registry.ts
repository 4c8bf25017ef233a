import { jsonLog } from '../src/runtime/system.ts';
import { isTask, type Task, type TaskRegistry } from '../src/task/task.ts';

/** Loads each task's module; one that fails is left out and named in the log, so that it stops no other. */
export async function loadTasks(modules: Readonly<Record<string, () => Promise<unknown>>>): Promise<TaskRegistry> {
  const loaded = await Promise.all(
    Object.entries(modules).map(async ([name, load]) => {
      try {
        const task = taskOf(await load());
        if (task === undefined) throw new Error('expected it to export "task", made by defineTask');
        return [[name, task] as const];
      } catch (error) {
        jsonLog('error', `the task "${name}" cannot be loaded: ${String(error)}`);
        return [];
      }
    }),
  );
  return Object.fromEntries(loaded.flat());
}

/** A CommonJS module has its exports in `default`. */
function taskOf(module: unknown): Task | undefined {
  if (typeof module !== 'object' || module === null) return undefined;
  if ('task' in module && isTask(module.task)) return module.task;
  return 'default' in module ? taskOf(module.default) : undefined;
}
