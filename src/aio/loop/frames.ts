import { AsyncLocalStorage } from 'node:async_hooks';
import type { Loop } from './loop.ts';
import type { Task } from './task.ts';
import type { TimeoutScope } from './timeout-scope.ts';

/** What code can know about where it runs: its loop, its task, and the innermost timeout scope around it. */
export interface Frame {
  readonly loop: Loop;
  readonly task: Task<unknown>;
  readonly scope: TimeoutScope | undefined;
}

/**
 * Carries the frame across every `await`, which nothing else in the language can do; that is why this one module of Node is
 * imported here. It does no input or output.
 */
export const frames = new AsyncLocalStorage<Frame | undefined>();
