import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from './context.ts';
import type { Scope } from './scope.ts';

/** What a task can wait for, as far as the floor below tasks and futures knows it. */
export interface Waitable<T> {
  readonly loop: object;
  done(): boolean;
  cancelled(): boolean;
  /** The result; throws the error it ended with. */
  result(): T;
  cancel(reason?: unknown): boolean;
  abort(error: unknown): boolean;
  whenDone(callback: () => void): void;
}

/** What can be asked of the task of a frame. */
export interface Parker {
  park<T>(future: Waitable<T>): Promise<T>;
  parkOnce(): Promise<void>;
}

/** What code can know about where it runs. */
export interface Frame {
  /** Always a Loop: `currentLoop` says so. */
  readonly loop: object;
  /** Always a Task: `currentTask` says so. Undefined in a callback of the loop. */
  readonly task: Parker | undefined;
  /** The innermost scope around the code. */
  readonly scope: Scope | undefined;
  /** The context variables. */
  readonly context: Context;
}

/**
 * Carries the frame across every `await`, which nothing else in the language can do; that is why this one module of Node is
 * imported here. It does no input or output.
 */
export const frames = new AsyncLocalStorage<Frame | undefined>();
