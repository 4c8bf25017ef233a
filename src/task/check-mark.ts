import type { Task } from './task.ts';

/** The version of the code that each schema came with: a schema stays the same object however its task is wrapped. */
const versions = new WeakMap<object, string>();

/** Remembers what names the very code of a task that was loaded; another code has another name. */
export function rememberVersion(task: Task, version: string): Task {
  versions.set(task.input, version);
  return task;
}

/** Name of the metadata of an input that carries its mark. */
export const checkMarkName = 'checked';

/**
 * The mark of an input all of whose items this version of a task has taken, as the input is read in that format. It stands in the
 * object's metadata, which S3 replaces with the bytes. Undefined where nobody can say which version a task is: as deployed ones.
 */
export function checkMark({ input }: Task, format: string): string | undefined {
  const version = versions.get(input);
  return version === undefined ? undefined : `${format} ${version}`;
}
