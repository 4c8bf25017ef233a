import { readControl } from '../folder/read.ts';
import { folderName } from '../format/paths.ts';
import { limits } from '../limits.ts';
import { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldMessage } from './held-message.ts';
import { Intake } from './intake.ts';
import { LoopWatch, lookMs } from './loop-watch.ts';
import { periodically } from './periodically.ts';
import { Runner } from './runner.ts';
import { WorkerState } from './worker-state.ts';

/**
 * Runs chunks on one event loop until they are stored or handed over and, when it pulls, until the queue is empty or the deadline near.
 *
 * @returns ids of the messages that are settled for good; the others have to come back.
 */
export async function runWorker(messages: readonly HeldMessage[], deps: WorkerDeps): Promise<ReadonlySet<string>> {
  const { clock, leaseSeconds, log } = deps;
  const state = new WorkerState(log, deps.pull);
  const watch = new LoopWatch(deps, state);
  const closer = new Closer(deps, state, watch);
  const runner = new Runner(deps, state, closer);
  const intake = new Intake(deps, state, { closer, runner });
  const leaving = deps.leaving ?? new AbortController().signal;
  const leave = (): void => runner.leave();
  leaving.addEventListener('abort', leave, { once: true });
  if (leaving.aborted) leave();
  const stopHolds = periodically(clock, (leaseSeconds * 1_000) / limits.renewalsPerLease, () =>
    renewHolds(deps, state),
  );
  const stopWatch = periodically(clock, lookMs, async () => watch.look());
  const stopControl = periodically(clock, limits.controlMs, () => lookAtControl(deps, state, runner));
  try {
    for (const held of messages) state.track(intake.openHeld(held), held.message.job);
    while (true) {
      runner.pump();
      intake.pull();
      // What is being received comes back by itself when nobody opens it.
      const isLeft = leaving.aborted && state.chunks.length === 0 && !intake.isOpening;
      if (state.isIdle || isLeft) return closer.acknowledged;
      await state.changed.wait();
      state.changed.clear();
    }
  } finally {
    leaving.removeEventListener('abort', leave);
    await Promise.all([stopHolds(), stopControl(), stopWatch()]);
  }
}

/** Renews the hold on each message in hand; one that fails may come back, which the result's condition makes harmless. */
async function renewHolds(deps: WorkerDeps, state: WorkerState): Promise<void> {
  const renewals = state.chunks.map(async ({ receiptHandle, jobId, messageId }) => {
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
async function lookAtControl(deps: WorkerDeps, state: WorkerState, runner: Runner): Promise<void> {
  for (const name of new Set(state.chunks.map((chunk) => folderName(chunk.folder)))) {
    const job = state.jobs.get(name);
    if (job === undefined || job.cancelled.aborted) continue;
    try {
      if ((await readControl(deps.store, job.folder))?.state === 'cancelled') runner.cancel(job);
    } catch (error) {
      deps.log('warn', "a job's control was not read", { jobId: job.folder.id, error: String(error) });
    }
  }
}
