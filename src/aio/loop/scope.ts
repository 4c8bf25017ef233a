/** A piece of a task's code whose waits can be cancelled without those beside it: a timeout, or the body of a task group. */
export interface Scope {
  /** The scope around this one. */
  readonly outer: Scope | undefined;
  /** The deadline on the loop's clock, or undefined when there is none. */
  when(): number | undefined;
}

/** Whether code of `inner` stands in `outer`. */
export function encloses(outer: Scope, inner: Scope | undefined): boolean {
  for (let scope = inner; scope !== undefined; scope = scope.outer) if (scope === outer) return true;
  return false;
}
