import type { Loop } from './loop.ts';

/** An error that nobody has seen yet; reported when its owner is collected, or by `run` at its end. */
export class Failure {
  /** @param owner what must be looked at for the error to count as seen. */
  static watch(owner: object, loop: Loop, what: { readonly message: string; readonly task?: string }, error: unknown) {
    const failure = new Failure(loop, what, error);
    loop.failures.add(failure);
    forgotten.register(owner, failure);
    return failure;
  }

  readonly #loop: Loop;
  readonly #what: { readonly message: string; readonly task?: string };
  readonly #error: unknown;

  constructor(loop: Loop, what: { readonly message: string; readonly task?: string }, error: unknown) {
    this.#loop = loop;
    this.#what = what;
    this.#error = error;
  }

  /** Somebody has seen the error. */
  retrieve(): void {
    this.#loop.failures.delete(this);
  }

  /** Reports the error, once, unless somebody has seen it. */
  report(): void {
    if (!this.#loop.failures.delete(this)) return;
    this.#loop.unhandled({ message: this.#what.message, task: this.#what.task, error: this.#error });
  }
}

const forgotten = new FinalizationRegistry<Failure>((failure) => failure.report());
