/**
 * What a task file finds as `fanloop` where it runs: the part of the package's face that tasks need, without client and cloud.
 */
// biome-ignore-all lint/performance/noBarrelFile: This is the face of what a task file touches.
export { TaskError, type TaskErrorDetails, UsageError } from './errors.ts';
export { defineTask, type Task, type TaskContext, type TaskDefinition } from './task.ts';

/** A file may have a task and a program in it; only the program can connect. @throws Error always */
export async function connect(): Promise<never> {
  throw new Error(
    'expected connect() to be called by a program, got a call within a task; start further jobs by the fan-out function',
  );
}
