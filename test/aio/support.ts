import { expect } from 'vitest';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { currentTask } from '../../src/aio/loop/current-task.ts';
import { CancelledError } from '../../src/aio/loop/errors.ts';
import type { Task } from '../../src/aio/loop/task.ts';
import { type RunOptions, run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';

/** A test's body as a program on virtual time; a failure that nobody awaited fails the test. */
export function program(body: () => Promise<void>, options: RunOptions = {}): () => Promise<void> {
  return async () => {
    const unhandled: unknown[] = [];
    await run(body, { clock: new VirtualClock(), onUnhandledError: ({ error }) => unhandled.push(error), ...options });
    expect(unhandled).toEqual([]);
  };
}

/** The task that runs the test's body. */
export function me(): Task<unknown> {
  const task = currentTask();
  if (task === undefined) throw new Error('this test must run in a program');
  return task;
}

/** The time of the running program in milliseconds. */
export function now(): number {
  return currentLoop().time();
}

/** Lets everything that is ready have `count` turns. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await sleep(0);
}

/** What the promise rejects with. */
export async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got a result');
}

/** What the call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got a result');
}

/** Says that the promise was cancelled. */
export async function expectCancelled(promise: PromiseLike<unknown>): Promise<CancelledError> {
  const error = await errorOf(promise);
  expect(error).toBeInstanceOf(CancelledError);
  return error as CancelledError;
}
