import { InvalidStateError, isCancellation } from './errors.ts';
import { ExceptionGroup } from './exception-group.ts';
import { currentTask } from './loop/current.ts';
import { Future } from './loop/future.ts';
import { inTask } from './loop/in-task.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { type Body, Task, type TaskOptions } from './loop/task.ts';

/**
 * Runs code that may start tasks, and waits for them: the first failure cancels the others and the code itself, all are
 * awaited, and one ExceptionGroup carries every failure, that of the code included.
 *
 * A cancelled child is no failure. A cancellation from outside cancels the group; failures beat it, and it then returns at the
 * next wait. Tasks may be added while any runs, also by tasks. Outside of `run`, a task is made for the code, and `signal`
 * cancels it. Differences to Python: a function instead of `async with`; its result is returned.
 *
 * @throws ExceptionGroup
 */
export function taskGroup<T>(body: (group: TaskGroup) => PromiseLike<T> | T, { signal }: WaitOptions = {}): Promise<T> {
  return inTask(async () => {
    const group = new TaskGroup();
    let value: T;
    try {
      value = await body(group);
    } catch (error) {
      await group.leave({ error });
      throw error;
    }
    await group.leave();
    return value;
  }, signal);
}

/**
 * A group of tasks that ends with the scope it stands in: `await using group = new TaskGroup()`; see `taskGroup`.
 *
 * Leaving the scope waits for the tasks, and cancels them when one failed or the task itself was cancelled meanwhile.
 * Difference to Python, and to `taskGroup`: JavaScript does not tell `await using` that the scope is left by an error of its
 * own, so the tasks are awaited then and not cancelled; with `taskGroup` they are cancelled.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #parent: Task<unknown>;
  readonly #cancelling: number;
  readonly #tasks = new Set<Task<unknown>>();
  #errors: unknown[] = [];
  #exiting = false;
  #aborting = false;
  #parentCancelled = false;
  #completed: Future<void> | undefined;

  /** @throws InvalidStateError outside of a task: nobody would wait. */
  constructor() {
    const parent = currentTask();
    if (parent === undefined) throw new InvalidStateError('a TaskGroup has no parent task here: use taskGroup()');
    this.#parent = parent;
    this.#cancelling = parent.cancelling();
  }

  /** How many of its tasks have not ended. */
  get running(): number {
    return this.#tasks.size;
  }

  /**
   * Starts a task that this group waits for.
   *
   * @throws InvalidStateError when the group is shutting down or finished.
   */
  createTask<T>(body: Body<T>, options: TaskOptions = {}): Task<T> {
    if (this.#exiting && this.#tasks.size === 0) throw new InvalidStateError('the task group is finished');
    if (this.#aborting) throw new InvalidStateError('the task group is shutting down');
    const task = new Task(body, this.#parent.loop, options);
    this.#tasks.add(task);
    task.addDoneCallback(() => this.#onDone(task));
    return task;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#parent.cancelling() > this.#cancelling && !this.#aborting) this.#abort();
    await this.leave();
  }

  /** Waits for all tasks and decides what is thrown; `failure` is what the code inside ended with. @internal */
  async leave(failure?: { readonly error: unknown }): Promise<void> {
    this.#exiting = true;
    let cancellation = failure !== undefined && isCancellation(failure.error) ? failure : undefined;
    if (failure !== undefined && !this.#aborting) this.#abort();
    while (this.#tasks.size > 0) {
      this.#completed ??= new Future(this.#parent.loop);
      try {
        await park(this.#completed);
      } catch (error) {
        if (!this.#aborting) {
          cancellation = { error };
          this.#abort();
        }
      }
      this.#completed = undefined;
    }
    if (this.#parentCancelled && this.#parent.uncancel() === 0) cancellation = undefined;
    if (cancellation !== undefined && this.#errors.length === 0) throw cancellation.error;
    if (failure !== undefined && !isCancellation(failure.error)) this.#errors.push(failure.error);
    if (this.#errors.length === 0) return;
    if (this.#parent.cancelling() > 0) {
      // Failures beat the cancellation from outside: it is delivered again at the next wait, and counted once.
      this.#parent.uncancel();
      this.#parent.cancel();
    }
    const errors = this.#errors;
    this.#errors = [];
    throw new ExceptionGroup('tasks of a group failed', errors);
  }

  #abort(): void {
    this.#aborting = true;
    for (const task of this.#tasks) if (!task.done()) task.cancel();
  }

  #onDone(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#completed?.done() === false) this.#completed.setResult();
    if (task.cancelled() || !task.failed()) return;
    this.#errors.push(task.exception());
    if (this.#aborting || this.#parentCancelled) return;
    this.#abort();
    this.#parentCancelled = true;
    this.#parent.cancel();
  }
}
