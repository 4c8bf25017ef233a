import type { ItemError } from '../format/outcome.ts';
import { valueJson } from '../format/value.ts';
import type { Clock } from '../ports.ts';
import { failureOf } from '../task/failure.ts';
import { type Stop, stopKey } from '../task/stop.ts';
import type { Task, TaskContext } from '../task/task.ts';
import { whenAborted } from '../waiting.ts';
import { type ItemScope, itemScope, type Outside, outsideOfItems, runInScope } from './item-scope.ts';

/** How one try of an item ended. */
export type AttemptOutcome =
  /** `json` is the value's text, as its row has it: nobody parses it on the way. */
  | { readonly kind: 'succeeded'; readonly json: string; readonly bytes: number; readonly durationMs: number }
  | {
      readonly kind: 'failed';
      readonly error: ItemError;
      readonly retryAfterMs: number | undefined;
      readonly durationMs: number;
    }
  | { readonly kind: 'cancelled' }
  /** It came to nothing through no fault of its item: it is to be run again. */
  | { readonly kind: 'brokenOff' };

/** One try: what runs, and what ends it early. */
export interface Attempt {
  readonly task: Task;
  readonly item: unknown;
  readonly context: Omit<TaskContext, 'signal'>;
  readonly timeoutMs: number;
  /** Aborted when the job is cancelled. */
  readonly cancelled: AbortSignal;
  readonly clock: Clock;
  /** What the task's code runs in. @default what the caller runs in */
  readonly scope?: ItemScope;
  /** Where no scope is. @default where the caller runs */
  readonly outside?: Outside;
}

/** Thrown where an attempt ends through no fault of its item. */
export class AttemptBrokenOff extends Error {}

/** The reason of a signal whose attempt's time is over. */
class AttemptTimeout extends Error {}

/**
 * Runs one attempt; never rejects. The task's signal is aborted at its timeout and on cancellation;
 * a task that does not heed it is no longer waited for. That is why `timeout` of src/aio is not used here: it waits until
 * what it cancelled has ended, and one task that ignores its signal would keep its slot for good. It also costs 1.7 times the
 * processor time (bench/attempt.ts).
 */
export function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  return new Promise((resolve) => startAttempt(attempt, resolve));
}

/**
 * {@link runAttempt} without a promise: a worker's items end one by one, and at each a further promise costs more than their rows.
 * `settled` is called once and later, never from within this call or from within an abort.
 */
export function startAttempt(attempt: Attempt, settled: (outcome: AttemptOutcome) => void): void {
  new RunningAttempt(attempt, settled).start();
}

/**
 * An attempt under way: its timeout, its signal, and its end in one object, since this is made for every call of every job. Whatever
 * happens first ends it; what comes later is nobody's any more.
 */
class RunningAttempt implements Stop {
  readonly #attempt: Attempt;
  readonly #settled: (outcome: AttemptOutcome) => void;
  readonly #controller = new AbortController();
  readonly #started: number;
  #callback: (() => void) | undefined;
  #isOver = false;
  #stopTimer: (() => void) | undefined;
  #stopListening: (() => void) | undefined;
  aborted = false;
  reason: unknown;

  constructor(attempt: Attempt, settled: (outcome: AttemptOutcome) => void) {
    this.#attempt = attempt;
    this.#settled = settled;
    this.#started = attempt.clock.now();
  }

  start(): void {
    const { context, timeoutMs, cancelled, clock } = this.#attempt;
    this.#stopListening = whenAborted(cancelled, () => this.#abort(cancelled.reason));
    if (this.#isOver) return;
    this.#stopTimer = clock.after(timeoutMs, () => this.#abort(new AttemptTimeout(`no answer within ${timeoutMs} ms`)));
    const given = { ...context, signal: this.#controller.signal, [stopKey]: this };
    try {
      // Its answer is heard outside of its scope: what comes of it is the worker's own work.
      this.#run(given).then(
        (value) => this.#answer(value),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
  }

  #run(context: TaskContext): Promise<unknown> {
    const { task, item, scope, outside = outsideOfItems() } = this.#attempt;
    return scope === undefined ? task.run(item, context) : runInScope({ scope, outside }, { task, item, context });
  }

  listen(callback: () => void): boolean {
    if (this.#callback !== undefined) return false;
    this.#callback = callback;
    return true;
  }

  unlisten(callback: () => void): void {
    if (this.#callback === callback) this.#callback = undefined;
  }

  #abort(reason: unknown): void {
    if (this.#isOver) return;
    this.aborted = true;
    this.reason = reason;
    const { scope } = this.#attempt;
    if (scope === undefined) this.#tell(reason);
    else itemScope.run(scope, () => this.#tell(reason));
    this.#fail(reason);
  }

  /** What listens is the task's own. */
  #tell(reason: unknown): void {
    this.#controller.abort(reason);
    this.#callback?.();
  }

  #answer(value: unknown): void {
    if (this.#isOver) return;
    const durationMs = this.#durationMs();
    this.#settle(succeeded(value, this.#attempt.task.maxValueBytes, durationMs));
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    const { cancelled, timeoutMs, clock } = this.#attempt;
    if (cancelled.aborted) this.#settle({ kind: 'cancelled' });
    else if (error instanceof AttemptBrokenOff) this.#settle({ kind: 'brokenOff' });
    else if (this.aborted) {
      const message = `no answer within ${timeoutMs} ms; ask for a longer --timeout if the work needs it`;
      const timedOut = { code: 'Timeout', message, retryable: true };
      this.#settle({ kind: 'failed', error: timedOut, retryAfterMs: undefined, durationMs: this.#durationMs() });
    } else this.#settle({ kind: 'failed', ...failureOf(error, clock.now()), durationMs: this.#durationMs() });
  }

  #settle(outcome: AttemptOutcome): void {
    this.#isOver = true;
    const { scope } = this.#attempt;
    if (scope !== undefined) scope.isOver = true;
    this.#stopTimer?.();
    this.#stopListening?.();
    // Whoever aborts is in the middle of something.
    if (this.aborted) queueMicrotask(() => this.#settled(outcome));
    else this.#settled(outcome);
  }

  /** A clock that was set back meanwhile must not make it negative. */
  #durationMs(): number {
    return Math.max(0, this.#attempt.clock.now() - this.#started);
  }
}

function succeeded(value: unknown, maxBytes: number, durationMs: number): AttemptOutcome {
  let json: string;
  try {
    json = valueJson(value);
  } catch (error) {
    return refusedValue('ResultNotJson', messageOf(error), durationMs);
  }
  const bytes = json.length > maxBytes ? json.length : Buffer.byteLength(json);
  if (bytes > maxBytes) {
    const message = `expected a value of at most ${maxBytes} bytes of JSON, got ${bytes}; store it in S3 and return its address`;
    return refusedValue('ResultTooLarge', message, durationMs);
  }
  // The text is a copy: the task may change its object later, and the row is written only with its chunk.
  return { kind: 'succeeded', json, bytes, durationMs };
}

function refusedValue(code: string, message: string, durationMs: number): AttemptOutcome {
  return { kind: 'failed', error: { code, message, retryable: false }, retryAfterMs: undefined, durationMs };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
