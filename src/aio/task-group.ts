import { ExceptionGroup } from './exception-group.ts';
import { currentTask } from './loop/current-task.ts';
import { InvalidStateError, interruptions, isCancellation } from './loop/errors.ts';
import { frames } from './loop/frames.ts';
import { Future } from './loop/future.ts';
import { inTask } from './loop/in-task.ts';
import { park, type WaitOptions } from './loop/park.ts';
import type { Scope } from './loop/scope.ts';
import { type Body, Task, type TaskOptions } from './loop/task.ts';
import { watched } from './loop/watched.ts';

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
  return inTask(() => {
    const outer = frames.getStore()?.scope;
    const scope: Scope = { outer, when: () => undefined };
    const group = new TaskGroup();
    group.enter(scope);
    return inScope(scope, async () => {
      let value: T;
      try {
        value = await body(group);
      } catch (error) {
        await group.leave({ error });
        throw error;
      }
      await group.leave();
      return value;
    });
  }, signal);
}

function inScope<T>(scope: Scope, body: () => Promise<T>): Promise<T> {
  const frame = frames.getStore();
  return frame === undefined ? body() : frames.run({ ...frame, scope }, body);
}

/**
 * A group of tasks that ends with the scope it stands in: `await using group = new TaskGroup()`; see `taskGroup`.
 *
 * Leaving the scope waits for the tasks, and cancels them when one failed or the task itself was cancelled meanwhile.
 * Differences to Python, and to `taskGroup`: the failure of a task interrupts the wait in progress with the ExceptionGroup
 * itself, which leaves the scope (code that catches it there has seen it); JavaScript does not tell `await using` that the
 * scope is left by an error of its own, so the tasks are awaited then and not cancelled; and when such an error, or a
 * cancellation from outside, meets failures of tasks, JavaScript throws a SuppressedError of both, whose `error` is the
 * ExceptionGroup; and it interrupts whatever the task awaits, also beside the scope. `taskGroup` has none of the four.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #parent: Task<unknown>;
  readonly #tasks = new Set<Task<unknown>>();
  #entered = false;
  #scope: Scope | undefined;
  #interruptions = 0;
  #errors: unknown[] = [];
  #exiting = false;
  #aborting = false;
  #parentCancelled = false;
  /** The group that has interrupted the code inside, which therefore knows the failures. */
  #delivered: ExceptionGroup | undefined;
  #completed: Future<void> | undefined;

  /** @throws InvalidStateError outside of a task: nobody would wait. */
  constructor() {
    const parent = currentTask();
    if (parent === undefined) throw new InvalidStateError('a TaskGroup has no parent task here: use taskGroup()');
    this.#parent = parent;
  }

  /** How many of its tasks have not ended. */
  get running(): number {
    return this.#tasks.size;
  }

  /**
   * Starts a task that this group waits for.
   *
   * @throws InvalidStateError when the group was not entered, is shutting down, or finished.
   */
  createTask<T>(body: Body<T>, options: TaskOptions = {}): Task<T> {
    if (!this.#entered)
      throw new InvalidStateError('the task group was not entered: use taskGroup(), or `await using group = …`');
    if (this.#exiting && this.#tasks.size === 0) throw new InvalidStateError('the task group is finished');
    if (this.#aborting) throw new InvalidStateError('the task group is shutting down');
    if (typeof body !== 'function') throw new TypeError(`createTask takes an async function, got ${typeof body}`);
    const task = new Task(body, this.#parent.loop, options);
    this.#tasks.add(task);
    task.whenDone(() => this.#onDone(task));
    return task;
  }

  /** `await using` reads this when the group is declared, and that is how it is entered; once. @throws InvalidStateError */
  get [Symbol.asyncDispose](): () => Promise<void> {
    this.enter();
    return () => watched(this.#dispose());
  }

  /** @internal */
  enter(scope?: Scope): void {
    if (this.#entered) throw new InvalidStateError('the task group has already been entered');
    this.#entered = true;
    this.#scope = scope;
    this.#interruptions = this.#parent.requests.interruptions;
  }

  /** Waits for all tasks and decides what is thrown; `failure` is what the code inside ended with. @internal */
  async leave(failure?: { readonly error: unknown }): Promise<void> {
    this.#exiting = true;
    if (this.#delivered === undefined) this.#parent.interruptWith(undefined);
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
    if (this.#parentCancelled && this.#takeBack() === 0) cancellation = undefined;
    if (cancellation !== undefined && this.#errors.length === 0) throw cancellation.error;
    if (failure !== undefined && !isCancellation(failure.error)) this.#errors.push(failure.error);
    if (this.#errors.length === 0) return;
    // Failures beat the cancellation from outside: it is delivered again at the next wait, and counted once.
    this.#repeatCancellation();
    const errors = this.#errors;
    this.#errors = [];
    if (this.#delivered === undefined) throw new ExceptionGroup(message, errors);
    interruptions.delete(this.#delivered);
    this.#delivered.add(errors.slice(this.#delivered.errors.length));
  }

  async #dispose(): Promise<void> {
    if (this.#parent.requests.interruptions > this.#interruptions && !this.#aborting) this.#abort();
    await this.leave();
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
    if (this.#scope !== undefined) this.#parent.interrupt(this.#scope);
    else if (this.#exiting) this.#parent.cancel();
    else this.#parent.interruptWith(() => this.#interruption());
  }

  /** The failures so far, as the error that ends the wait in progress; those to come are added. */
  #interruption(): ExceptionGroup {
    if (this.#delivered !== undefined) return this.#delivered;
    const group = new ExceptionGroup(message, this.#errors);
    interruptions.add(group);
    this.#delivered = group;
    return group;
  }

  /** Takes back the cancellation of the code inside; returns how many are left that concern the code around. */
  #takeBack(): number {
    return this.#scope === undefined ? this.#parent.uncancel() : this.#parent.requests.leave(this.#scope);
  }

  #repeatCancellation(): void {
    if (this.#scope !== undefined) {
      if (this.#parent.requests.around(this.#scope) > 0) this.#parent.requests.repeatAround(this.#scope);
    } else if (this.#parent.cancelling() > 0) {
      this.#parent.uncancel();
      this.#parent.cancel();
    }
  }
}

const message = 'tasks of a group failed';
