import { currentLoop, inProgram } from './loop/current-loop.ts';
import { InvalidStateError } from './loop/errors.ts';
import { type Body, Task, type TaskOptions } from './loop/task.ts';

/**
 * Starts an async function as a task of its own, in the next turn of the loop, never at once.
 *
 * Prefer `taskGroup`, which waits for what it started. Differences to Python: it takes the function, since calling it would
 * start it; `run` keeps every task alive until it has ended.
 *
 * @throws InvalidStateError outside of `run`, where nobody would wait for the task.
 */
export function createTask<T>(body: Body<T>, options: TaskOptions = {}): Task<T> {
  if (typeof body !== 'function') throw new TypeError(`createTask takes an async function, got ${typeof body}`);
  if (!inProgram()) throw new InvalidStateError('createTask works inside run() only: start the program with run()');
  return new Task(body, currentLoop(), options);
}
