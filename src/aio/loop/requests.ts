import { CancelledError } from './errors.ts';
import { encloses, type Scope } from './scope.ts';

/**
 * The requests to cancel a task: how many there are, which are still due to be delivered, and the signals that tell of them.
 *
 * A request concerns the whole task, or only the code inside a scope: a timeout must not interrupt what its task awaits
 * beside it. In code that awaits one thing after the other this is asyncio's counter and its flag.
 */
export class Requests {
  #count = 0;
  #due = false;
  #reason: unknown;
  /** The scopes that asked and have not been left. */
  #asked: readonly Scope[] = none;
  /** Those of them whose request no wait has met. */
  #dueIn: readonly Scope[] = none;
  #signals: Map<Scope | undefined, AbortController> | undefined;

  /** How often a wait was interrupted because of a request. */
  interruptions = 0;

  get count(): number {
    return this.#count;
  }

  /** What the last one who asked gave. */
  get reason(): unknown {
    return this.#reason;
  }

  add(reason: unknown, scope?: Scope): void {
    this.#count += 1;
    this.#reason = reason;
    if (scope !== undefined) this.#asked = [...this.#asked, scope];
  }

  /** Takes one request back; returns how many are left. */
  takeBack(): number {
    if (this.#count === 0) return 0;
    this.#count -= 1;
    if (this.#count === 0) {
      this.#due = false;
      this.#dueIn = none;
      for (const [scope, { signal }] of this.#signals ?? []) if (signal.aborted) this.#signals?.delete(scope);
    }
    return this.#count;
  }

  /** Takes back what a scope asked for; returns how many requests concern the code around it. */
  leave(scope: Scope): number {
    this.#asked = without(this.#asked, scope);
    this.#dueIn = without(this.#dueIn, scope);
    this.#signals?.delete(scope);
    this.takeBack();
    return this.around(scope);
  }

  /** How many requests concern the code around a scope: not its own, and not those of scopes beside it. */
  around(scope: Scope): number {
    const others = this.#asked.filter((asked) => !encloses(asked, scope.outer)).length;
    return Math.max(0, this.#count - others);
  }

  /** Makes the requests that concern the code around a scope due again. */
  repeatAround(scope: Scope): void {
    this.#reason = undefined;
    if (this.#count > this.#asked.length) this.#due = true;
    else this.#dueIn = this.#asked.filter((asked) => encloses(asked, scope.outer));
  }

  makeDue(scope?: Scope): void {
    if (scope === undefined) this.#due = true;
    else this.#dueIn = [...this.#dueIn, scope];
  }

  /** Whether a wait inside this scope has to be interrupted. */
  isDueIn(scope: Scope | undefined): boolean {
    return this.#due || (this.#dueIn.length > 0 && this.#dueIn.some((due) => encloses(due, scope)));
  }

  /** A wait inside this scope was interrupted. */
  deliveredIn(scope: Scope | undefined): void {
    if (this.#count > 0) this.interruptions += 1;
    this.#due = false;
    if (this.#dueIn.length > 0) this.#dueIn = this.#dueIn.filter((due) => !encloses(due, scope));
  }

  /** The signal for code inside this scope. */
  signalIn(scope: Scope | undefined): AbortSignal {
    this.#signals ??= new Map();
    let controller = this.#signals.get(scope);
    if (controller === undefined) {
      controller = new AbortController();
      this.#signals.set(scope, controller);
      const asked = this.#count > this.#asked.length || this.#asked.some((each) => encloses(each, scope));
      if (asked) controller.abort(new CancelledError(this.#reason));
    }
    return controller.signal;
  }

  fireSignals(reason: unknown, scope?: Scope): void {
    for (const [inside, controller] of this.#signals ?? [])
      if (scope === undefined || encloses(scope, inside)) controller.abort(new CancelledError(reason));
  }
}

const none: readonly Scope[] = [];

function without(scopes: readonly Scope[], scope: Scope): readonly Scope[] {
  return scopes.length === 0 ? scopes : scopes.filter((each) => each !== scope);
}
