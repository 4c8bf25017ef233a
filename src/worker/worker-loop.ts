import { readControl } from '../folder/read.ts';
import { limits } from '../limits.ts';
import { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { Spark } from './held-message.ts';
import { Intake } from './intake.ts';
import { LoopWatch, lookMs } from './loop-watch.ts';
import { periodically } from './periodically.ts';
import { Runner } from './runner.ts';
import { Holdings } from './worker-state.ts';

/**
 * Runs chunks on one event loop until they are stored or handed over and, when it pulls, until the queue is empty or the deadline near.
 *
 * @returns ids of the messages that are settled for good; the others have to come back.
 */
export async function runWorker(sparks: readonly Spark[], deps: WorkerDeps): Promise<ReadonlySet<string>> {
  const { clock, leaseSeconds, log } = deps;
  const holdings = new Holdings(log, deps.pull);
  const watch = new LoopWatch(deps, holdings);
  const closer = new Closer(deps, holdings, watch);
  const runner = new Runner(deps, holdings, closer);
  const intake = new Intake(deps, holdings, { closer, runner });
  const stopHolds = periodically(clock, (leaseSeconds * 1_000) / limits.renewalsPerLease, () =>
    renewHolds(deps, holdings),
  );
  const stopWatch = periodically(clock, lookMs, async () => watch.look());
  const stopControl = periodically(clock, limits.controlMs, () => lookAtControl(deps, holdings, runner));
  try {
    for (const spark of sparks) holdings.own(intake.openHeld(spark), spark.message.job);
    while (true) {
      runner.pump();
      intake.pull();
      if (holdings.isIdle) return closer.proven;
      await holdings.changed.wait();
      holdings.changed.clear();
    }
  } finally {
    await Promise.all([stopHolds(), stopControl(), stopWatch()]);
  }
}

/** Renews the hold on each message in hand; one that fails may come back, which the result's condition makes harmless. */
async function renewHolds(deps: WorkerDeps, holdings: Holdings): Promise<void> {
  const renewals = holdings.chunks.map(async ({ receiptHandle, jobId, messageId }) => {
    if (receiptHandle === undefined) return;
    try {
      await deps.queue.changeVisibility(receiptHandle, deps.leaseSeconds);
    } catch (error) {
      deps.log('warn', 'the hold on a message was not renewed', { jobId, messageId, error: String(error) });
    }
  });
  await Promise.all(renewals);
}

/** Cancels what is in hand of jobs that somebody wants cancelled. */
async function lookAtControl(deps: WorkerDeps, holdings: Holdings, runner: Runner): Promise<void> {
  for (const jobId of new Set(holdings.chunks.map((chunk) => chunk.jobId))) {
    const lane = holdings.lanes.get(jobId);
    if (lane === undefined || lane.cancelled.aborted) continue;
    try {
      if ((await readControl(deps.store, jobId))?.state === 'cancelled') runner.cancel(lane);
    } catch (error) {
      deps.log('warn', "a job's control was not read", { jobId, error: String(error) });
    }
  }
}
