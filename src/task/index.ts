// biome-ignore-all lint/performance/noBarrelFile: This is the face of what a task file touches.
export { TaskError, type TaskErrorDetails } from './errors.ts';
export { defineTask, type Task, type TaskContext, type TaskDefinition } from './task.ts';
