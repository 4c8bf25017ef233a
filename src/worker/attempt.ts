import { toJson } from '../format/json.ts';
import type { ItemError } from '../format/outcome.ts';
import { limits } from '../limits.ts';
import type { Clock } from '../ports.ts';
import { TaskError } from '../task/errors.ts';
import type { Task, TaskContext } from '../task/task.ts';

/** How one try of an item ended. */
export type AttemptOutcome =
  | { readonly kind: 'succeeded'; readonly value: unknown; readonly bytes: number; readonly durationMs: number }
  | {
      readonly kind: 'failed';
      readonly error: ItemError;
      readonly retryAfterMs: number | undefined;
      readonly durationMs: number;
    }
  | { readonly kind: 'cancelled' };

/** One try: what runs, and what ends it early. */
export interface Attempt {
  readonly task: Task;
  readonly item: unknown;
  readonly context: Omit<TaskContext, 'signal'>;
  readonly timeoutMs: number;
  /** Aborted when the job is cancelled. */
  readonly cancelled: AbortSignal;
  readonly clock: Clock;
}

/** The reason of a signal whose attempt's time is over. */
class AttemptTimeout extends Error {}

/**
 * Runs one attempt; never rejects. The task's signal is aborted at its timeout and on cancellation;
 * a task that does not heed it is no longer waited for. That is why `timeout` of src/aio is not used here: it waits until
 * what it cancelled has ended, and one task that ignores its signal would keep its slot for good. It also costs 1.7 times the
 * processor time (bench/attempt.ts).
 */
export async function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  const { task, item, context, timeoutMs, cancelled, clock } = attempt;
  const controller = new AbortController();
  const { signal } = controller;
  const started = clock.now();
  const stopTimer = clock.after(timeoutMs, () =>
    controller.abort(new AttemptTimeout(`no answer within ${timeoutMs} ms`)),
  );
  const onCancel = (): void => controller.abort(cancelled.reason);
  cancelled.addEventListener('abort', onCancel, { once: true });
  if (cancelled.aborted) onCancel();
  try {
    const value = await raceAbort(signal, () => task.run(item, { ...context, signal }));
    return succeeded(value, task.maxValueBytes, clock.now() - started);
  } catch (error) {
    if (cancelled.aborted) return { kind: 'cancelled' };
    const durationMs = clock.now() - started;
    if (signal.aborted) {
      const message = `no answer within ${timeoutMs} ms; ask for a longer --timeout if the work needs it`;
      return {
        kind: 'failed',
        error: { code: 'Timeout', message, retryable: true },
        retryAfterMs: undefined,
        durationMs,
      };
    }
    return { kind: 'failed', ...describeFailure(error), durationMs };
  } finally {
    stopTimer();
    cancelled.removeEventListener('abort', onCancel);
  }
}

/** Runs a function until it settles or the signal aborts, whichever is first. */
async function raceAbort(signal: AbortSignal, run: () => Promise<unknown>): Promise<unknown> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const encoder = new TextEncoder();

function succeeded(value: unknown, maxBytes: number, durationMs: number): AttemptOutcome {
  let json: string | undefined;
  try {
    json = toJson(value ?? null);
  } catch (error) {
    const message = `expected a value that JSON can hold, got one that it cannot: ${messageOf(error)}`;
    return {
      kind: 'failed',
      error: { code: 'ResultNotJson', message, retryable: false },
      retryAfterMs: undefined,
      durationMs,
    };
  }
  if (json === undefined) {
    const message = `expected a value that JSON can hold, got a ${typeof value}`;
    return {
      kind: 'failed',
      error: { code: 'ResultNotJson', message, retryable: false },
      retryAfterMs: undefined,
      durationMs,
    };
  }
  const bytes = json.length > maxBytes ? json.length : encoder.encode(json).length;
  if (bytes > maxBytes) {
    const message = `expected a value of at most ${maxBytes} bytes of JSON, got ${bytes}; store it in S3 and return its address`;
    return {
      kind: 'failed',
      error: { code: 'ResultTooLarge', message, retryable: false },
      retryAfterMs: undefined,
      durationMs,
    };
  }
  // A copy: the task may change its object later, and the row is written only with its chunk.
  return { kind: 'succeeded', value: JSON.parse(json), bytes, durationMs };
}

/** A failure as its row will show it, and the downstream's wish for the next attempt. */
interface Failure {
  readonly error: ItemError;
  readonly retryAfterMs: number | undefined;
}

/** What a thrown thing says of its item; never throws, whatever a task threw. */
export function describeFailure(error: unknown): Failure {
  try {
    return describe(error);
  } catch {
    const message = 'the task threw something that cannot be read';
    return { error: { code: 'TaskFailed', message, retryable: true }, retryAfterMs: undefined };
  }
}

/** A programming error is the same at each attempt, so it is not tried again. */
function describe(error: unknown): Failure {
  if (error instanceof TaskError) {
    const { code, retryable, status } = error;
    const retryAfterMs = asWait(error.retryAfterMs);
    const tooLong = retryAfterMs !== undefined && retryAfterMs > limits.maxRetryAfterMs;
    if (retryable && tooLong) {
      const message = `the downstream asks to wait ${Math.round(retryAfterMs / 1_000)} s; at most ${limits.maxRetryAfterMs / 1_000} s are possible`;
      return {
        error: { code: 'RetryAfterTooLong', message, retryable: false, ...withStatus(status) },
        retryAfterMs: undefined,
      };
    }
    return {
      error: { code: asCode(code), message: cut(error.message), retryable, ...withStatus(status) },
      retryAfterMs,
    };
  }
  const isBug =
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError ||
    error instanceof SyntaxError;
  const name = error instanceof Error ? error.name : 'Error';
  const code = name === 'Error' || name === '' ? 'TaskFailed' : asCode(name);
  return { error: { code, message: cut(messageOf(error)), retryable: !isBug }, retryAfterMs: undefined };
}

const withStatus = (status: number | undefined): { readonly status?: number } =>
  status === undefined ? {} : { status };
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const cut = (message: unknown): string => shorten(String(message));
const shorten = (message: string): string =>
  message.length > limits.errorMessageCharacters ? `${message.slice(0, limits.errorMessageCharacters)}…` : message;
/** Codes are counted in S3 metadata, which is ASCII with `:` and `,` as separators. */
const asCode = (name: unknown): string =>
  String(name ?? '')
    .replaceAll(/[^A-Za-z0-9_.-]/g, '')
    .slice(0, 40) || 'TaskFailed';
/** A date that could not be read, or one that is over, is no wish. */
const asWait = (ms: number | undefined): number | undefined => (ms !== undefined && ms >= 0 ? ms : undefined);
