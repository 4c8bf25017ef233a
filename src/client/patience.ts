import type { Clock } from '../ports.ts';
import { linksOf } from '../task/error-chain.ts';
import { verdictOf } from '../task/verdict.ts';
import { sleep } from '../waiting.ts';

/** Who follows a job waits so long for S3 and SQS that refuse or cannot be reached: the job itself outlives it as well. */
const patienceMs = 600_000;
const firstWaitMs = 500;
const longestWaitMs = 10_000;

/** Asks again while S3 or SQS have trouble that passes by itself. @throws what is no such trouble, or lasts; the signal's reason */
export async function patiently<Value>(
  at: { readonly clock: Clock; readonly signal: AbortSignal },
  ask: () => Promise<Value>,
): Promise<Value> {
  const startedAt = at.clock.now();
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, 2 * waitMs)) {
    try {
      return await ask();
    } catch (error) {
      at.signal.throwIfAborted();
      if (!passes(error) || at.clock.now() + waitMs - startedAt > patienceMs) throw error;
      await sleep(at.clock, waitMs, at.signal);
    }
  }
}

/**
 * Asks patiently for what a job needs before it begins.
 *
 * @throws Error that says what was waited for, and that nothing was started; as {@link patiently}
 */
export async function askToStart<Value>(
  at: Parameters<typeof patiently>[0],
  ask: () => Promise<Value>,
): Promise<Value> {
  try {
    return await patiently(at, ask);
  } catch (cause) {
    if (at.signal.aborted || !passes(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new Error(
      `expected S3 to store what the job needs, got refusals for ${patienceMs / 60_000} minutes: ${reason}; nothing was started, the same command can be given again`,
      { cause },
    );
  }
}

/** Whether an error or one of its causes says that another try makes sense. */
const passes = (error: unknown): boolean => linksOf(error).some((link) => verdictOf(link)?.retryable === true);
