import type { Loop } from './loop.ts';
import type { Task } from './task.ts';

/** An error that nobody has seen yet; reported when its task is collected, or by `run` at its end. */
export class Failure {
  static watch(task: Task<unknown>, error: unknown): Failure {
    const failure = new Failure(task.loop, task.name, error);
    task.loop.failures.add(failure);
    forgotten.register(task, failure);
    return failure;
  }

  readonly #loop: Loop;
  readonly #task: string;
  readonly #error: unknown;

  constructor(loop: Loop, task: string, error: unknown) {
    this.#loop = loop;
    this.#task = task;
    this.#error = error;
  }

  /** Somebody has seen the error. */
  retrieve(): void {
    this.#loop.failures.delete(this);
  }

  /** Reports the error, once, unless somebody has seen it. */
  report(): void {
    if (!this.#loop.failures.delete(this)) return;
    this.#loop.unhandled({ message: 'a task failed and nobody awaited it', task: this.#task, error: this.#error });
  }
}

const forgotten = new FinalizationRegistry<Failure>((failure) => failure.report());
