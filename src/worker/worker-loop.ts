import { changeControl, controlOf, readSeenControl } from '../folder/control.ts';
import { hedgedReads } from '../folder/hedged-reads.ts';
import { soonest } from '../folder/soonest.ts';
import { limits } from '../limits.ts';
import type { ObjectStore } from '../ports.ts';
import { hasStops, stopsAtCount } from '../task/job-limits.ts';
import { Closer } from './closer.ts';
import { RequestCount } from './count-requests.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldBell, HeldMessage } from './held-message.ts';
import { Holds } from './holds.ts';
import { Intake } from './intake.ts';
import { JobFinder } from './job-finder.ts';
import { LoopWatch, lookMs } from './loop-watch.ts';
import { Opener } from './opener.ts';
import { periodically } from './periodically.ts';
import { Runner } from './runner.ts';
import type { RunningJob } from './running-job.ts';
import { SeatDesk } from './seat-desk.ts';
import { endBrake, tellBrake } from './tell-brake.ts';
import { tellHold } from './tell-hold.ts';
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
export async function runWorker(
  messages: ReadonlyArray<HeldMessage | HeldBell>,
  world: WorkerDeps,
): Promise<ReadonlySet<string>> {
  const { clock, deadline, log } = world;
  const requests = new RequestCount();
  const store = requests.store(world.store);
  const deps: WorkerDeps = {
    ...world,
    store: hedgedReads(store, clock),
    input: requests.input(world.input),
    queue: requests.queue(world.queue),
  };
  const state = new WorkerState(log, { mayPull: deps.pull, endAt: deadline - endMarginMs });
  const holds = new Holds(deps);
  const watch = new LoopWatch(deps, state);
  const closer = new Closer(deps, state, { watch, holds, requests });
  const runner = new Runner(deps, state, closer);
  const jobs = new JobFinder(deps, state, (run, error) => runner.chargeFault(run, error));
  const opener = new Opener(deps, state, { closer, runner, holds, jobs });
  const desk = new SeatDesk(deps, state, { closer, runner, holds, jobs, opener });
  const intake = new Intake(deps, state, { closer, opener, holds, desk });
  const leaving = deps.leaving ?? new AbortController().signal;
  const endRescue = deps.rescue?.watch((isEnd) => [...closer.unstored(), ...(isEnd ? desk.lastNotes() : [])]);
  const leave = (): void => runner.leave();
  leaving.addEventListener('abort', leave, { once: true });
  if (leaving.aborted) leave();
  // Items that run apart have no timeout here; none may run into the end.
  const cancelEnd = clock.after(deadline - limits.deadlineMarginMs - clock.now(), () => jobs.close());
  const stopWatch = deps.cpuMs === undefined ? undefined : periodically(clock, lookMs, async () => watch.look());
  const stopLooks = periodically(clock, checkMs, async () => {
    for (const chunk of state.chunks) closer.check(chunk);
    desk.look();
    // Leases, and what waits for its time.
    if (!desk.isIdle || state.isIdle) state.changed.set();
  });
  let looks = 0;
  const stopControl = periodically(clock, limits.controlMs / 2, () =>
    lookAtControl(deps, state, { runner, closer, desk, store, onlyStops: ++looks % 2 === 1 }),
  );
  try {
    for (const held of messages) state.track(intake.openHeld(held), held.message.job);
    while (true) {
      desk.act();
      runner.pump();
      intake.pull();
      // What is being received comes back by itself when nobody opens it.
      const isLeft = leaving.aborted && state.chunks.length === 0 && !opener.isOpening;
      const isDone =
        state.isIdle &&
        desk.isIdle &&
        !(state.mayPull && state.jobs.values().some((job) => job.isHeldBack(clock.now(), deadline)));
      if (isDone || isLeft) return closer.acknowledged;
      await state.changed.wait();
      state.changed.clear();
    }
  } finally {
    leaving.removeEventListener('abort', leave);
    endRescue?.();
    cancelEnd();
    runner.close();
    intake.close();
    jobs.close();
    await desk.close();
    await Promise.all([...state.jobs.values()].map((job) => endBrake(deps, job)));
    await Promise.all([holds.stop(), stopControl(), stopLooks(), stopWatch?.()]);
  }
}

/**
 * Does what somebody wants of the jobs in hand, and gives up what another worker has. Every other look is for jobs only that stop by
 * themselves at some count: what starts until it is seen goes beyond it.
 */
async function lookAtControl(
  deps: WorkerDeps,
  state: WorkerState,
  {
    onlyStops,
    ...parts
  }: {
    readonly runner: Runner;
    readonly closer: Closer;
    readonly desk: SeatDesk;
    /** Asked again in a way of its own. */
    readonly store: ObjectStore;
    readonly onlyStops: boolean;
  },
): Promise<void> {
  const { log } = deps;
  const look = async (jobId: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      log('warn', "a job's state was not read", { jobId, error: String(error) });
    }
  };
  const looked = state.byFolder().filter(([{ pace }]) => !onlyStops || hasStops(pace.limits));
  const chunks = onlyStops ? [] : state.chunks;
  await Promise.all([
    ...looked.map((jobs) => look(jobs[0].manifest.jobId, () => lookAtJob(deps, { jobs, state, ...parts }))),
    ...chunks.map((chunk) => look(chunk.jobId, () => parts.closer.lookForRival(chunk))),
  ]);
}

async function lookAtJob(
  deps: WorkerDeps,
  at: {
    readonly jobs: readonly [RunningJob, ...RunningJob[]];
    readonly state: WorkerState;
    readonly runner: Runner;
    readonly desk: SeatDesk;
    readonly store: ObjectStore;
  },
): Promise<void> {
  const { jobs, state, runner, desk, store } = at;
  const [first] = jobs;
  const { pace, folder } = first;
  const isHere =
    desk.serves(first) ||
    state.chunks.some(({ job }) => jobs.some((one) => one === job)) ||
    first.isHeldBack(deps.clock.now(), deps.deadline);
  if (jobs.every((job) => job.cancelled.aborted) || !isHere) return;
  // Nobody waits for it: neither the control, nor the worker's end. It says itself what fails.
  if (deps.pull && stopsAtCount(pace.limits)) {
    const look = import('./look-at-turns.ts').then(({ lookAtTurns }) => lookAtTurns(deps, first));
    void look.finally(() => state.changed.set());
  }
  const { seen, beganAt } = await soonest(deps.clock, async (beganAt) => ({
    seen: await readSeenControl(store, folder),
    beganAt,
  }));
  pace.saw(seen, beganAt, deps.clock.now());
  if (pace.isBroken && pace.control.state === 'running') await openBreaker(deps, first);
  for (const job of jobs) {
    if (pace.control.state === 'cancelled') runner.cancel(job);
    else runner.rest(job);
  }
  try {
    await tellHold(deps, first);
    state.track(tellBrake(deps, first));
    await desk.lookAtDrains(first);
  } finally {
    state.changed.set();
  }
}

/** Lets the job rest everywhere: too many of its last calls failed here. */
async function openBreaker(
  { store, clock, log, writer }: WorkerDeps,
  { manifest, folder, pace }: RunningJob,
): Promise<void> {
  log('warn', 'too many of the last calls failed: the job pauses', { jobId: manifest.jobId });
  const beganAt = clock.now();
  const control = await changeControl(
    { store, now: () => clock.now() },
    { job: folder, first: controlOf(manifest), by: `worker:${writer}` },
    ({ state }) => (state === 'running' ? { state: 'paused', reason: 'breaker' } : undefined),
  );
  pace.saw({ control, ageMs: 0 }, beganAt, clock.now());
}
