import { currentLoop } from './loop/current-loop.ts';
import { Future } from './loop/future.ts';
import { type Body, Task } from './loop/task.ts';

/** What the verbs accept: a task or future, an async function to start, or a foreign promise that runs already. */
export type Awaitable<T> = Future<T> | Body<T> | PromiseLike<T>;

/** What awaiting it gives. */
export type ResultOf<A> = A extends (...args: never[]) => infer R ? Awaited<R> : Awaited<A>;

/** Turns an async function into a task and a promise into a future; tasks and futures stay as they are. */
export function ensureFuture<T>(awaitable: Awaitable<T>): Future<T> {
  if (awaitable instanceof Future) return awaitable;
  if (typeof awaitable === 'function') return new Task(awaitable, currentLoop());
  if (typeof awaitable !== 'object' || awaitable === null || typeof awaitable.then !== 'function') {
    throw new TypeError(`expected a task, an async function, or a promise, got ${String(awaitable)}`);
  }
  return adopt(awaitable);
}

/** A future that ends as the promise does; cancelling it ends only the wait. */
export function adopt<T>(promise: PromiseLike<T>): Future<T> {
  const future = new Future<T>();
  promise.then(
    (value) => {
      if (!future.done()) future.setResult(value);
    },
    (error: unknown) => {
      if (!future.done()) future.setException(error);
      // Who waited may have gone, and a foreign promise may then fail unheeded.
      future.retrieved();
    },
  );
  return future;
}
