import { parseToWrite } from '../format/json.ts';
import type { ItemError } from '../format/outcome.ts';
import { valueJson } from '../format/value.ts';
import type { Clock } from '../ports.ts';
import { failureOf } from '../task/failure.ts';
import type { Task, TaskContext } from '../task/task.ts';
import { whenAborted } from '../waiting.ts';
import { type ItemScope, LoopBlocked } from './item-scope.ts';

/** How one try of an item ended. */
export type AttemptOutcome =
  | { readonly kind: 'succeeded'; readonly value: unknown; readonly bytes: number; readonly durationMs: number }
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
  /** Gets what ends the attempt from outside, while it runs. */
  readonly scope?: Pick<ItemScope, 'stop'>;
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
export async function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  const { task, item, context, timeoutMs, cancelled, clock, scope } = attempt;
  const controller = new AbortController();
  const { signal } = controller;
  const started = clock.now();
  let giveUp = (_reason: unknown): void => {};
  // The signal's abort and the end of the wait are one step, so that no listener of ours is on the signal: it is made for each attempt.
  const abort = (reason: unknown): void => {
    controller.abort(reason);
    giveUp(reason);
  };
  if (scope !== undefined) scope.stop = abort;
  const stopTimer = clock.after(timeoutMs, () => abort(new AttemptTimeout(`no answer within ${timeoutMs} ms`)));
  const stopListening = whenAborted(cancelled, () => abort(cancelled.reason));
  try {
    signal.throwIfAborted();
    const value = await new Promise<unknown>((resolve, reject) => {
      giveUp = reject;
      task.run(item, { ...context, signal }).then(resolve, reject);
    });
    return succeeded(value, task.maxValueBytes, millisecondsSince(clock, started));
  } catch (error) {
    if (cancelled.aborted) return { kind: 'cancelled' };
    if (error instanceof AttemptBrokenOff) return { kind: 'brokenOff' };
    const durationMs = millisecondsSince(clock, started);
    if (signal.reason instanceof LoopBlocked) {
      const { message } = signal.reason;
      const error = { code: 'LoopBlocked', message, retryable: false };
      return { kind: 'failed', error, retryAfterMs: undefined, durationMs };
    }
    if (signal.aborted) {
      const message = `no answer within ${timeoutMs} ms; ask for a longer --timeout if the work needs it`;
      return {
        kind: 'failed',
        error: { code: 'Timeout', message, retryable: true },
        retryAfterMs: undefined,
        durationMs,
      };
    }
    return { kind: 'failed', ...failureOf(error, clock.now()), durationMs };
  } finally {
    stopTimer();
    stopListening();
    if (scope !== undefined) scope.stop = undefined;
  }
}

/** Milliseconds since an instant; a clock that was set back meanwhile must not make them negative. */
function millisecondsSince(clock: Clock, started: number): number {
  return Math.max(0, clock.now() - started);
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
  // A copy: the task may change its object later, and the row is written only with its chunk.
  return { kind: 'succeeded', value: parseToWrite(json), bytes, durationMs };
}

function refusedValue(code: string, message: string, durationMs: number): AttemptOutcome {
  return { kind: 'failed', error: { code, message, retryable: false }, retryAfterMs: undefined, durationMs };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
