import { frames } from './frames.ts';
import { Loop } from './loop.ts';

/** The loop of the running task or callback; outside of `run`, one loop on the system clock that serves all such code. */
export function currentLoop(): Loop {
  const frame = frames.getStore();
  // Every frame is made with a Loop.
  if (frame !== undefined) return frame.loop as Loop;
  ambient ??= new Loop();
  return ambient;
}

/** Whether code runs in a program that `run` started: in a task, or in a callback of its loop. */
export function inProgram(): boolean {
  return frames.getStore() !== undefined;
}

let ambient: Loop | undefined;
