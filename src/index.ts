/**
 * What a program and a task file import from `fanloop`.
 *
 * @module fanloop
 */
export { Fanloop, type SubmitOptions } from './client/fanloop.ts';
export type { Items } from './client/item-blocks.ts';
export { ItemFailed } from './client/item-error.ts';
export {
  type BatchOptions,
  type ItemRow,
  Job,
  type WaitOptions,
} from './client/job.ts';
export type { JobStatus } from './client/job-status.ts';
export type { Input } from './client/place-input.ts';
export type { Progress } from './client/progress.ts';
export type { Digest } from './format/digest.ts';
export type { ItemError } from './format/outcome.ts';
export type { JobEnd, Summary } from './format/summary.ts';
export { type ConnectOptions, connect } from './targets/connect.ts';
export type { TargetName } from './targets/target-options.ts';
export { TaskError, type TaskErrorDetails, type UsageCode, UsageError } from './task/errors.ts';
export { defineTask, type Task, type TaskContext, type TaskDefinition } from './task/task.ts';
