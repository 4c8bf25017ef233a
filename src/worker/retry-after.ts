import { limits } from '../limits.ts';
import { refusalOf } from '../task/refusal.ts';
import type { AttemptOutcome } from './attempt.ts';
import { backoffMs } from './backoff.ts';
import type { WorkerDeps } from './deps.ts';
import type { ItemRun } from './item-run.ts';
import type { RunningJob } from './running-job.ts';

/** An attempt that has failed. */
interface FailedAttempt {
  readonly job: RunningJob;
  readonly run: ItemRun;
  readonly outcome: Extract<AttemptOutcome, { readonly kind: 'failed' }>;
}

/** Tells the brake what came of an attempt; answers after how many milliseconds its item is tried again, if it is. */
export function retryAfter(
  { clock, random }: Pick<WorkerDeps, 'clock' | 'random'>,
  { job, run, outcome }: FailedAttempt,
): number | undefined {
  const { error, retryAfterMs } = outcome;
  const refusal = refusalOf(error, retryAfterMs);
  if (refusal !== 'none') {
    run.chunk.charge({ refusals: 1 });
    job.gate.refused(clock.now(), retryAfterMs);
  }
  if (refusal === 'none' && error.retryable) job.gate.failed(clock.now());
  if (refusal === 'none' && !error.retryable) job.gate.succeeded(clock.now());
  if (!error.retryable) return undefined;
  if (refusal === 'rate' && run.refusals < limits.refusals) {
    run.refusals++;
    return backoffMs(run.refusals, retryAfterMs, random);
  }
  const attempts = run.attempts - run.refusals;
  return attempts < job.manifest.options.attempts ? backoffMs(attempts, retryAfterMs, random) : undefined;
}
