/** A class of errors, or a function that says whether it wants one. */
export type ErrorMatch = ErrorClass | readonly ErrorClass[] | ((error: unknown) => boolean);

type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * Carries every failure of a group of tasks; `errors` may hold further groups.
 *
 * Differences to Python: it is JavaScript's `AggregateError`, so the failures are `errors`, not `exceptions`; there is no
 * `except*`, so use `exceptStar`, `split`, or `subgroup`; there is no BaseException and therefore no BaseExceptionGroup.
 */
export class ExceptionGroup extends AggregateError {
  override readonly name = 'ExceptionGroup';
  readonly code = 'ExceptionGroup';

  /** @throws RangeError when `errors` is empty. */
  constructor(message: string, errors: readonly unknown[], options?: ErrorOptions) {
    if (errors.length === 0) throw new RangeError('an ExceptionGroup needs at least one error, got none');
    super(errors, counted(message, errors), options);
    this.#message = message;
  }

  readonly #message: string;

  /** Returns the group reduced to the errors that match, with its nesting kept, or undefined when none does. */
  subgroup(match: ErrorMatch): ExceptionGroup | undefined {
    return this.#keep(predicateOf(match));
  }

  /** Returns the errors that match and the rest, each as a group with the nesting kept, or undefined when empty. */
  split(match: ErrorMatch): [matching: ExceptionGroup | undefined, rest: ExceptionGroup | undefined] {
    const matches = predicateOf(match);
    if (matches(this)) return [this, undefined];
    const matching: unknown[] = [];
    const rest: unknown[] = [];
    for (const error of this.errors as readonly unknown[]) {
      if (error instanceof ExceptionGroup) {
        const [inside, outside] = error.split(matches);
        if (inside !== undefined) matching.push(inside);
        if (outside !== undefined) rest.push(outside);
      } else {
        (matches(error) ? matching : rest).push(error);
      }
    }
    return [this.#derive(matching), this.#derive(rest)];
  }

  /** Takes further errors in; only a group that its scope still owns grows. @internal */
  add(errors: readonly unknown[]): void {
    if (errors.length === 0) return;
    this.errors.push(...errors);
    this.message = counted(this.#message, this.errors);
  }

  /** Yields every error that is not itself a group, depth first. */
  *leaves(): Generator<unknown> {
    for (const error of this.errors as readonly unknown[]) {
      if (error instanceof ExceptionGroup) yield* error.leaves();
      else yield error;
    }
  }

  #keep(matches: (error: unknown) => boolean): ExceptionGroup | undefined {
    return this.split(matches)[0];
  }

  #derive(errors: readonly unknown[]): ExceptionGroup | undefined {
    if (errors.length === 0) return undefined;
    const derived = new ExceptionGroup(this.#message, errors, this.cause === undefined ? {} : { cause: this.cause });
    if (this.stack !== undefined) derived.stack = this.stack;
    return derived;
  }
}

function counted(message: string, errors: readonly unknown[]): string {
  return `${message} (${errors.length} ${errors.length === 1 ? 'error' : 'errors'})`;
}

/** @internal */
export function predicateOf(match: ErrorMatch): (error: unknown) => boolean {
  if (isClassList(match)) return (error) => match.some((type) => error instanceof type);
  if (isErrorClass(match)) return (error) => error instanceof match;
  return match;
}

function isClassList(match: ErrorMatch): match is readonly ErrorClass[] {
  return Array.isArray(match);
}

function isErrorClass(match: ErrorMatch): match is ErrorClass {
  if (typeof match !== 'function') return false;
  return match === Error || match.prototype instanceof Error;
}
