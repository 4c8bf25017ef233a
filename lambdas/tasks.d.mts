import type { TaskRegistry } from '../src/task/task.ts';

/** The tasks of this deployment by name; `bundleTasks` writes this module for each. */
export const tasks: TaskRegistry;
