import type { Clock, Log } from '../ports.ts';
import { UsageError } from '../task/errors.ts';

/** The first wait after a refusal of S3 or SQS; each one is twice as long, up to the longest. */
const firstWaitMs = 200;
const longestWaitMs = 5_000;

/** A call that S3 or SQS may refuse for a time. */
export interface PersistentCall<Value> {
  /** What is tried, for the log: `the result was not stored`. */
  readonly what: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly act: (attempt: number) => Promise<Value>;
  /** Milliseconds since the epoch after which the refusal is thrown; asked anew each time, since it may come nearer. */
  readonly until: () => number;
}

/** Tries until it is done or the time is over. What a person has to mend ({@link UsageError}) is thrown at once. */
export async function persist<Value>(
  deps: { readonly clock: Clock; readonly log: Log },
  call: PersistentCall<Value>,
): Promise<Value> {
  const { clock, log } = deps;
  let attempt = 0;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, 2 * waitMs)) {
    try {
      attempt++;
      return await call.act(attempt);
    } catch (error) {
      if (error instanceof UsageError || clock.now() + waitMs > call.until()) throw error;
      if (waitMs === firstWaitMs)
        log('warn', `${call.what}; it is tried again`, { ...call.fields, error: String(error) });
      await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
    }
  }
}
