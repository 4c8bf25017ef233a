import { currentLoop } from './current-loop.ts';
import { frames } from './frames.ts';
import type { Task } from './task.ts';

/**
 * The task whose code is running, or undefined in a callback of the loop and outside of `run`.
 *
 * Difference to Python: a callback of foreign code that a task has set up still belongs to that task.
 */
export function currentTask(): Task<unknown> | undefined {
  // Every frame that has a task was made by that Task.
  return frames.getStore()?.task as Task<unknown> | undefined;
}

/** The tasks of the running program that have not ended, oldest first. */
export function allTasks(): Task<unknown>[] {
  // Only a Task enters itself in its loop.
  return [...currentLoop().tasks] as Task<unknown>[];
}
