import { readControl } from '../folder/read.ts';
import { folderName } from '../format/paths.ts';
import { limits } from '../limits.ts';
import { Closer } from './closer.ts';
import { RequestCount } from './count-requests.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldMessage } from './held-message.ts';
import { Holds } from './holds.ts';
import { Intake } from './intake.ts';
import { JobFinder } from './job-finder.ts';
import { LoopWatch, lookMs } from './loop-watch.ts';
import { Opener } from './opener.ts';
import { periodically } from './periodically.ts';
import { Runner } from './runner.ts';
import { WorkerState } from './worker-state.ts';

/** What is kept of the end for the answer itself, when S3 or SQS refuse to the last. */
const endMarginMs = 1_000;
/** How often chunks are looked at whose rows have grown old. */
const checkMs = 1_000;

/**
 * Runs chunks on one event loop until they are stored or handed over and, when it pulls, until the queue is empty or the deadline near.
 *
 * @returns ids of the messages that are settled for good; the others have to come back.
 */
export async function runWorker(messages: readonly HeldMessage[], world: WorkerDeps): Promise<ReadonlySet<string>> {
  const { clock, deadline, log } = world;
  const requests = new RequestCount();
  const deps: WorkerDeps = {
    ...world,
    store: requests.store(world.store),
    input: requests.input(world.input),
    queue: requests.queue(world.queue),
  };
  const state = new WorkerState(log, { mayPull: deps.pull, endAt: deadline - endMarginMs });
  const holds = new Holds(deps);
  const watch = new LoopWatch(deps, state);
  const closer = new Closer(deps, state, { watch, holds, requests });
  const runner = new Runner(deps, state, closer);
  const jobs = new JobFinder(deps, state, (run, error) => runner.chargeRejection(run, error));
  const opener = new Opener(deps, state, { closer, runner, holds, jobs });
  const intake = new Intake(deps, state, { opener, holds });
  const leaving = deps.leaving ?? new AbortController().signal;
  const leave = (): void => runner.leave();
  leaving.addEventListener('abort', leave, { once: true });
  if (leaving.aborted) leave();
  // Items that run apart have no timeout here; none may run into the end.
  const cancelEnd = clock.after(deadline - limits.deadlineMarginMs - clock.now(), () => jobs.close());
  const stopWatch = periodically(clock, lookMs, async () => watch.look());
  const stopLooks = periodically(clock, checkMs, async () => {
    for (const chunk of state.chunks) closer.check(chunk);
  });
  const stopControl = periodically(clock, limits.controlMs, () => lookAtControl(deps, state, { runner, closer }));
  try {
    for (const held of messages) state.track(intake.openHeld(held), held.message.job);
    while (true) {
      runner.pump();
      intake.pull();
      // What is being received comes back by itself when nobody opens it.
      const isLeft = leaving.aborted && state.chunks.length === 0 && !opener.isOpening;
      if (state.isIdle || isLeft) return closer.acknowledged;
      await state.changed.wait();
      state.changed.clear();
    }
  } finally {
    leaving.removeEventListener('abort', leave);
    cancelEnd();
    jobs.close();
    await Promise.all([holds.stop(), stopControl(), stopLooks(), stopWatch()]);
  }
}

/** Cancels what is in hand of jobs that somebody wants cancelled, and gives up what another worker has. */
async function lookAtControl(
  deps: WorkerDeps,
  state: WorkerState,
  parts: { readonly runner: Runner; readonly closer: Closer },
): Promise<void> {
  const { store, log } = deps;
  const look = async (jobId: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      log('warn', "a job's state was not read", { jobId, error: String(error) });
    }
  };
  const jobs = [...state.jobs.values()].filter((job) => !job.cancelled.aborted);
  const folders = new Map(state.chunks.map((chunk) => [folderName(chunk.folder), chunk.folder]));
  await Promise.all([
    ...[...folders].map(([name, folder]) =>
      look(folder.id, async () => {
        if ((await readControl(store, folder))?.state !== 'cancelled') return;
        for (const job of jobs) if (folderName(job.folder) === name) parts.runner.cancel(job);
      }),
    ),
    ...state.chunks.map((chunk) => look(chunk.jobId, () => parts.closer.lookForRival(chunk))),
  ]);
}
