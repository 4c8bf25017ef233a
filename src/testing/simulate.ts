/**
 * Runs jobs in memory and under virtual time, with faults of one's choice; see docs/testing.md.
 *
 * @module fanloop/testing
 */
import { followJob } from '../client/follow.ts';
import type { SteerDeps } from '../client/stack.ts';
import { startUnderToken } from '../client/start.ts';
import { cancelJob, pauseJob, type TuneOptions, tuneJob, unpauseJob } from '../client/steer.ts';
import { ModelStore } from '../cloud/model/store-port.ts';
import { foldPasses, readJobRows } from '../folder/passes.ts';
import { readSummary } from '../folder/read.ts';
import { newJobId } from '../format/job-id.ts';
import type { Row } from '../format/outcome.ts';
import type { JobFolder } from '../format/paths.ts';
import type { FanOutRequest } from '../format/request.ts';
import type { Summary } from '../format/summary.ts';
import { UsageError } from '../task/errors.ts';
import type { Task } from '../task/task.ts';
import type { Requests } from '../worker/count-requests.ts';
import type { FaultPlan } from './faults.ts';
import type { History } from './history.ts';
import { readPass, redrive, rowsOf, type SimulatedPass, type SimulatedRedrive } from './passes.ts';
import { SimulatedStack } from './stack.ts';
import { VirtualTime } from './virtual-time.ts';

/** What is run. */
export interface SimulationOptions {
  readonly task: Task;
  /** Items as the task's schema takes them. */
  readonly items: readonly unknown[];
  /** Repeats a run exactly: the order of messages, jitter, and every fault. @default 1 */
  readonly seed?: number;
  /** Which faults happen, and for how long. @default none */
  readonly faults?: FaultPlan;
  /** As for a job: `concurrency`, `timeoutMs`, `attempts`. */
  readonly options?: FanOutRequest['options'];
  /** Workers that run at once. @default 2 */
  readonly workers?: number;
  /** The fan-out runs the items itself, if it can. @default up to 25 items */
  readonly wait?: boolean;
  /** Steers the job while it runs, each time after so many milliseconds from its start. */
  readonly steer?: ReadonlyArray<{ readonly afterMs: number; readonly act: 'pause' | 'resume' | TuneOptions }>;
  /** Cancels the job after this time, in milliseconds. */
  readonly cancelAfterMs?: number;
  /** Runs items again when the job has ended, pass after pass. @default none */
  readonly redrives?: readonly SimulatedRedrive[];
  /** Whether somebody follows the job, who sends a turn that is overdue; else only the stack's own messages move it. @default true */
  readonly followed?: boolean;
  /** The run is given up after this virtual time, in milliseconds. @default 86_400_000 */
  readonly limitMs?: number;
}

/** How a simulated job went. */
export interface Simulated {
  readonly jobId: string;
  /** One row an item, in the order of the items, each of the last pass that ran it. */
  readonly rows: readonly Row[];
  /** All passes counted as one. */
  readonly summary: Summary;
  /** The job's own run, and those of its redrives. */
  readonly passes: readonly SimulatedPass[];
  /** Everything that happened: each call, each process, each fault. */
  readonly history: History;
  /** What all functions and the client asked of S3 and SQS, as AWS bills it. */
  readonly requests: Requests;
  /** Virtual time from the start to the summary, in milliseconds. */
  readonly tookMs: number;
  /** Milliseconds since the epoch when the summary stood. */
  readonly endedAt: number;
}

/** A run that did not end: its history tells why. */
export class SimulationStuck extends Error {
  readonly history: History;

  constructor(message: string, history: History) {
    super(message);
    this.history = history;
  }
}

/** The instant at which every simulation begins. */
const startAt = Date.parse('2026-01-01T00:00:00Z');

/**
 * Runs one task over items as a deployed stack would, on the model of the cloud under virtual time, with the faults of a plan.
 * The fan-out, workers, turns, and dead letters are the product's own code.
 *
 * The timers of the process (`setTimeout`, `Date.now`, `AbortSignal.timeout`, …) are on virtual time while it runs, so waiting costs
 * nothing; a task must not wait for real network or files, whose answers would come too late.
 *
 * @throws SimulationStuck when the job does not end; UsageError what the fan-out refuses
 * @example
 * const { rows } = await simulate({ task, items: [{ id: 1 }, { id: 2 }], seed: 7, faults: { odds: { kill: 0.3 } } });
 */
export async function simulate(given: SimulationOptions): Promise<Simulated> {
  const { task, items, seed = 1, faults = { odds: {} }, workers, options, wait, limitMs = 86_400_000 } = given;
  const time = new VirtualTime(startAt);
  const stack = new SimulatedStack({ time, seed, faults, tasks: { task }, ...(workers !== undefined && { workers }) });
  const store = new ModelStore({ bucket: stack.bucket, clock: time });
  const jobId = newJobId(startAt, stack.random);
  const run = async (): Promise<Simulated> => {
    stack.start();
    const client = stack.client();
    const request: FanOutRequest = {
      task: 'task',
      items: [...items],
      ...(options !== undefined && { options }),
      ...(wait !== undefined && { wait }),
    };
    await startPatiently(client, jobId, { request, time });
    if (given.cancelAfterMs !== undefined) {
      time.after(given.cancelAfterMs, () => void cancelJob(client, jobId, 'the simulation').catch(() => undefined));
    }
    for (const { afterMs, act } of given.steer ?? []) time.after(afterMs, () => void steerJob(client, jobId, act));
    const follow = (folder: JobFolder): Promise<unknown> =>
      given.followed === false ? standing(folder) : followed(client);
    await follow({ id: jobId, pass: 0 });
    const passes: Array<Omit<SimulatedPass, 'rowsLater'>> = [];
    passes.push({ ...(await readPass({ store, jobId }, 0)), asked: [], startedAt: startAt, endedAt: time.now() });
    for (const asked of given.redrives ?? []) {
      const startedAt = time.now();
      const newest = await redrive({ stack, store, time, jobId }, asked);
      await follow(newest);
      const { rival, ...choice } = asked;
      const of = { asked: rival === undefined ? [choice] : [choice, rival], startedAt, endedAt: time.now() };
      // A rival who comes when the other's pass has ended has one of their own.
      for (let pass = passes.length; pass <= newest.pass; pass++)
        passes.push({ ...(await readPass({ store, jobId }, pass)), ...of });
    }
    return await ended(passes);
  };
  const followed = async (client: SteerDeps): Promise<Summary> => {
    const follow = followJob(client, jobId, { signal: new AbortController().signal });
    let look = await follow.next();
    while (look.done !== true) look = await follow.next();
    return look.value;
  };
  const standing = async (folder: JobFolder): Promise<void> => {
    while ((await readSummary(store, folder)) === undefined) await time.sleep(1_000);
  };
  const ended = async (passes: ReadonlyArray<Omit<SimulatedPass, 'rowsLater'>>): Promise<Simulated> => {
    const endedAt = time.now();
    const requests = stack.requests.take();
    // What still runs may do harm after the end: it has the time to.
    await time.sleep(afterglowMs);
    const rows: Row[] = [];
    for await (const batch of readJobRows(store, jobId)) rows.push(...batch);
    const own = await readSummary(store, jobId);
    const summary = own && (await foldPasses(store, own));
    if (summary === undefined) throw new Error(`expected job ${jobId} to have ended with all its passes`);
    const kept: SimulatedPass[] = [];
    for (const pass of passes) kept.push({ ...pass, rowsLater: await rowsOf(store, { id: jobId, pass: pass.pass }) });
    const { history } = stack;
    return { jobId, rows, summary, passes: kept, requests, history, tookMs: endedAt - startAt, endedAt };
  };
  try {
    return await time.run(run, limitMs);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('expected the work to end'))
      throw new SimulationStuck(error.message, stack.history);
    throw error;
  } finally {
    stack.close();
  }
}

/** Somebody who is told that it did not work gives the command again. */
async function steerJob(client: SteerDeps, jobId: string, act: 'pause' | 'resume' | TuneOptions): Promise<void> {
  const by = 'the simulation';
  const done =
    act === 'pause'
      ? pauseJob(client, jobId, by)
      : act === 'resume'
        ? unpauseJob(client, jobId, by)
        : tuneJob(client, jobId, by, act);
  await done.catch(() => undefined);
}

const afterglowMs = 30_000;

/** Somebody who is told that the job could not be started gives the command again. */
async function startPatiently(
  client: SteerDeps,
  jobId: string,
  { request, time }: { readonly request: FanOutRequest; readonly time: VirtualTime },
): Promise<void> {
  while (true) {
    try {
      await startUnderToken(client, jobId, request, new AbortController().signal);
      return;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      await time.sleep(againMs);
    }
  }
}

const againMs = 10_000;
