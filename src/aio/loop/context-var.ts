import { frames } from './frames.ts';

/** The values of all context variables for one task; the tasks it creates start with a copy. */
export class Context {
  /** Shared with copies until one of them changes a value: most tasks never do. */
  #values: ReadonlyMap<ContextVar<unknown>, unknown>;

  constructor(values: ReadonlyMap<ContextVar<unknown>, unknown> = new Map()) {
    this.#values = values;
  }

  has<T>(variable: ContextVar<T>): boolean {
    return this.#values.has(variable as ContextVar<unknown>);
  }

  get<T>(variable: ContextVar<T>): T | undefined {
    // Only `ContextVar<T>.set` writes under this key, so the value is a T.
    return this.#values.get(variable as ContextVar<unknown>) as T | undefined;
  }

  copy(): Context {
    return new Context(this.#values);
  }

  /** Writes or, without a value, removes. @internal */
  change<T>(variable: ContextVar<T>, value?: { readonly value: T }): void {
    const values = new Map(this.#values);
    if (value === undefined) values.delete(variable as ContextVar<unknown>);
    else values.set(variable as ContextVar<unknown>, value.value);
    this.#values = values;
  }
}

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
   * The value of the running task, or the default.
   *
   * @throws ReferenceError when it was never set and has no default.
   */
  get(): T {
    const context = currentContext();
    // `has` says that the value was written, so it is a T even when T includes undefined.
    if (context.has(this)) return context.get(this) as T;
    if (this.#default !== undefined) return this.#default.value;
    throw new ReferenceError(`the context variable ${this.name} was never set here and has no default`);
  }

  /** Sets the value for the running task, and for the tasks it creates from now on. */
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
 * Makes a variable whose value follows a task: each task starts with a copy of its creator's values.
 *
 * Use it where AsyncLocalStorage would need a callback around everything. Outside of `run` all code shares one context.
 * Differences to Python: the default is an option; a token may be used in another task.
 */
export function contextVar<T>(name: string, options: { readonly default?: T } = {}): ContextVar<T> {
  return new ContextVar(name, 'default' in options ? { value: options.default as T } : undefined);
}

/** A copy of the running task's context, to be given to `createTask`. */
export function copyContext(): Context {
  return currentContext().copy();
}

function currentContext(): Context {
  return frames.getStore()?.task.context ?? outside;
}

const outside = new Context();
