import { readManifest } from '../folder/read.ts';
import { type JobRef, jobFolder, manifestKey } from '../format/paths.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { UsageError } from '../task/errors.ts';
import { orAborted, sleep } from '../waiting.ts';
import { FanOutFailed, type SteerDeps } from './stack.ts';

/** Waits before the fan-out is asked again whose answer was lost: a throttled account, a restart, or S3 in trouble pass in that time. */
const askAgainMs = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000];
/** How soon it is seen that a job stands while the fan-out still works on it: later than it answers that had to start first. */
const firstLookMs = 250;
const lookMs = 1_000;
const slowdown = 1.5;

/** A job that the fan-out was asked for. */
export interface Started {
  /** What the fan-out answers in the end; never rejects when the job stands. */
  readonly answer: Promise<FanOutAnswer>;
}

/**
 * Asks the fan-out for the job under its token until it is known that the job stands: a lost answer, a timeout, or a function that
 * failed says nothing about the job, and asking again under the token gives the same one.
 *
 * Resolves as soon as the job's manifest stands, which may be long before the answer.
 *
 * @throws UsageError what the function refused; Error when it could not be reached and no job began; the signal's reason
 */
export async function startUnderToken(
  deps: SteerDeps,
  job: JobRef,
  request: FanOutRequest,
  signal: AbortSignal,
): Promise<Started> {
  const settled = new AbortController();
  const answer = askUntilAnswered(deps, job, { ...request, clientToken: jobFolder(job).id }, signal).finally(() =>
    settled.abort(),
  );
  answer.catch(() => undefined);
  await Promise.race([answer, standing(deps, job, AbortSignal.any([signal, settled.signal]))]);
  return { answer };
}

async function askUntilAnswered(
  deps: SteerDeps,
  job: JobRef,
  request: FanOutRequest,
  signal: AbortSignal,
): Promise<FanOutAnswer> {
  const jobId = jobFolder(job).id;
  let asked = 0;
  while (true) {
    try {
      return await orAborted(deps.invoke(request, signal), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UsageError) throw error;
      if (error instanceof FanOutFailed && (await goesOnElsewhere(deps, job))) return { jobId, state: 'running' };
      const waitMs = askAgainMs[asked++];
      if (waitMs !== undefined) {
        await sleep(deps.clock, waitMs, signal);
        continue;
      }
      const stands = await readManifest(deps.store, job).catch(() => undefined);
      // Whoever follows the job sends the turn that is due.
      if (stands !== undefined) return { jobId, state: 'running' };
      const reason = error instanceof Error ? error.message || error.name : String(error);
      throw new Error(`expected the fan-out to start job ${jobId}, got no answer in ${asked} tries: ${reason}`, {
        cause: error,
      });
    }
  }
}

/**
 * Has a worker go on with a job that the fan-out has died of: nobody else has its only chunk, and the guard of it is far away.
 * Answers whether there was such a job.
 */
async function goesOnElsewhere(deps: SteerDeps, job: JobRef): Promise<boolean> {
  try {
    if ((await readManifest(deps.store, job))?.inline !== true) return false;
    await sendDueTick(deps, job, { resend: true });
    return true;
  } catch {
    // Who cannot be reached now is asked again.
    return false;
  }
}

/** Resolves when the job's manifest stands; never rejects, and stays pending once the signal is aborted. */
async function standing(deps: SteerDeps, job: JobRef, signal: AbortSignal): Promise<void> {
  let waitMs = firstLookMs;
  try {
    while (true) {
      await sleep(deps.clock, waitMs, signal);
      const head = await deps.store.head(manifestKey(job)).catch(() => undefined);
      if (head !== undefined) return;
      waitMs = Math.min(lookMs, waitMs * slowdown);
    }
  } catch {
    return new Promise<never>(() => undefined);
  }
}
