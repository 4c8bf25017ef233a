import type { TaskContext } from './task.ts';

/**
 * What ends an attempt early, for those of ours that call downstreams: the same moment as the context's signal, without a listener on
 * it. To add a listener to a signal and take it away again costs as much as all else that an attempt does beside its call.
 */
export interface Stop {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** Calls back at the stop; one callback at a time, since a task awaits one call after another. @returns whether it was taken */
  listen(callback: () => void): boolean;
  unlisten(callback: () => void): void;
}

/** Where a context carries its stop. By the registry, since a task file may bring a copy of the package of its own. */
export const stopKey: unique symbol = Symbol.for('fanloop.stop') as never;

/** The stop of a context; undefined where somebody has made the context anew. */
export function stopOf(context: TaskContext): Stop | undefined {
  return (context as { readonly [stopKey]?: Stop })[stopKey];
}
