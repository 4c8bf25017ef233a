import type { TaskRegistry } from '../src/task/registry.ts';

/** The tasks of this deployment by name; `bundleTasks` writes this module for each. */
export const tasks: TaskRegistry;
