import { type Frame, frames } from './frames.ts';
import { Loop } from './loop.ts';
import type { Task } from './task.ts';

/**
 * The task whose code is running, or undefined outside of `run`.
 *
 * Difference to Python: a callback of foreign code that a task has set up still belongs to that task.
 */
export function currentTask(): Task<unknown> | undefined {
  return frames.getStore()?.task;
}

/** The loop of the running task; outside of `run`, one loop on the system clock that serves all such code. */
export function currentLoop(): Loop {
  const frame = frames.getStore();
  if (frame !== undefined) return frame.loop;
  ambient ??= new Loop();
  return ambient;
}

/** The frame of the running task, or undefined outside of `run`. */
export function currentFrame(): Frame | undefined {
  return frames.getStore();
}

let ambient: Loop | undefined;
