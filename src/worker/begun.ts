import type { TaskContext } from '../task/task.ts';

/** Where a context carries who is to know that the task's call begins: one that runs on a thread begins when the thread has time for it. */
export const begunKey: unique symbol = Symbol('begun') as never;

/** Who is to know that the call of a context begins; undefined where nobody waits for it. */
export const begunOf = (context: TaskContext): (() => void) | undefined =>
  (context as { readonly [begunKey]?: () => void })[begunKey];
