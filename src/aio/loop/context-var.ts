import { Context } from './context.ts';
import { frames } from './frames.ts';

/** What `set` returns: how to go back to the value before. */
export interface ContextToken<T> {
  readonly before: { readonly value: T } | undefined;
}

/** A variable with one value per task, see `contextVar`. */
export class ContextVar<T> {
  readonly name: string;
  readonly #default: { readonly value: T } | undefined;

  constructor(name: string, fallback: { readonly value: T } | undefined) {
    this.name = name;
    this.#default = fallback;
  }

  /**
   * The value of the running task or callback, or the default.
   *
   * @throws ReferenceError when it was never set and has no default.
   */
  get(): T {
    const context = currentContext();
    // Only `set` of this variable writes under this key, so the value is a T.
    if (context.has(this)) return context.get(this) as T;
    if (this.#default !== undefined) return this.#default.value;
    throw new ReferenceError(`the context variable ${this.name} was never set here and has no default`);
  }

  /** Sets the value for the running task or callback, and for what it starts from now on. */
  set(value: T): ContextToken<T> {
    const context = currentContext();
    const before = context.has(this) ? { value: context.get(this) as T } : undefined;
    context.change(this, { value });
    return { before };
  }

  /** Goes back to the value from before that `set`. */
  reset(token: ContextToken<T>): void {
    currentContext().change(this, token.before);
  }
}

/**
 * Makes a variable whose value follows a task: each task, and each callback of the loop, starts with a copy of the values
 * that were current where it was made.
 *
 * Use it where AsyncLocalStorage would need a callback around everything. Outside of `run` all code shares one context.
 * Differences to Python: the default is an option; a token may be used in another task.
 */
export function contextVar<T>(name: string, options: { readonly default?: T } = {}): ContextVar<T> {
  return new ContextVar(name, 'default' in options ? { value: options.default as T } : undefined);
}

/** A copy of the running task's context, to be given to `createTask` or to a callback. */
export function copyContext(): Context {
  return currentContext().copy();
}

function currentContext(): Context {
  return frames.getStore()?.context ?? outside;
}

const outside = new Context();
