import { lastTick, readSummary, readTable } from '../folder/read.ts';
import { readDigest } from '../folder/read-digest.ts';
import { readSmallChunk } from '../folder/read-rows.ts';
import { unmarkRunning } from '../folder/running.ts';
import { parseToWrite, toJson } from '../format/json.ts';
import { type Manifest, manifestFolder } from '../format/manifest.ts';
import { bellFor, jobFields, messageVersion } from '../format/message.ts';
import { metricNames, settledMetrics } from '../format/metrics.ts';
import type { Row } from '../format/outcome.ts';
import { resultKey } from '../format/paths.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import type { Summary } from '../format/summary.ts';
import { workMessage } from '../format/work-message.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { endJob, runTick } from '../job/run-tick.ts';
import { summarize } from '../job/summarize.ts';
import { limits } from '../limits.ts';
import type { Clock, InputReader, Log, ObjectStore, Queue, Random } from '../ports.ts';
import { needsSeats } from '../task/job-limits.ts';
import type { TaskRegistry } from '../task/registry.ts';
import type { runWorker } from '../worker/worker-loop.ts';
import { BegunFolder, onlyChunk } from './begun-folder.ts';
import { jobIdOf } from './identity.ts';
import { mayRunHere, type StackFacts, startJob } from './start-job.ts';

/** What the fan-out needs of the world. */
export interface FanOutDeps {
  readonly store: ObjectStore;
  readonly input: InputReader;
  readonly workQueue: Queue;
  readonly tickQueue: Queue;
  readonly tasks: TaskRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly cpuMs?: () => number;
  readonly log: Log;
  readonly writer: string;
  readonly leaseSeconds: number;
  readonly checkpointMs: number;
  /** The worker's own function; a part of its own where it is loaded, since most jobs' items run elsewhere. */
  readonly runWorker: typeof runWorker;
  /** Milliseconds since the epoch when the invocation ends. */
  readonly deadline: number;
  /** Aborted when the machine goes. @default never */
  readonly leaving?: AbortSignal;
  readonly stack: StackFacts;
}

/**
 * Starts the job that a request asks for and takes its first turn; a small job runs here and is answered with its rows.
 * Asking again under the same token gives the same job.
 */
export async function fanOut(deps: FanOutDeps, request: FanOutRequest, token: string): Promise<FanOutAnswer> {
  const { clock } = deps;
  const jobId = request.redrive?.job ?? (await jobIdOf(deps, token));
  const folder = new BegunFolder(deps, jobId);
  const here = mayRunHere(request) ? { ...deps, store: folder, input: folder } : deps;
  const { manifest, isNew } = await startJob({ ...here, now: clock.now() }, { jobId, request, stack: deps.stack });
  deps.log('info', isNew ? 'a job began' : 'a job was asked for again', {
    jobId,
    task: manifest.task,
    bytes: manifest.input.bytes,
    metrics: { [metricNames.jobsStarted]: isNew ? 1 : 0 },
  });
  if (!isNew) return answerAgain(deps, manifest);
  const tick = { v: messageVersion, kind: 'tick', ...jobFields(manifestFolder(manifest)), n: 0 } as const;
  await runTick(here, tick, { until: clock.now() + limits.firstTurnMs, inline: manifest.inline });
  const answer = manifest.inline ? await runInline(here, manifest) : ({ jobId, state: 'running' } as const);
  await folder.written();
  return answer;
}

/** The fan-out as the worker of the job's only chunk: what does not end in its share of time is handed over. */
async function runInline(deps: FanOutDeps, manifest: Manifest): Promise<FanOutAnswer> {
  const { store, clock } = deps;
  const { jobId } = manifest;
  const place = onlyChunk;
  const bounds = (await readTable(store, jobId, 0))?.chunks[0];
  if (bounds === undefined) return { jobId, state: 'running' };
  const delivery = { messageId: 'inline', receiptHandle: undefined, receiveCount: 1 };
  // A limited job runs under its seat here as well, so that whoever tunes it or takes it over knows of its calls.
  const held = needsSeats(manifest.options.limits ?? {})
    ? { ...delivery, message: bellFor(manifestFolder(manifest), 0) }
    : { ...delivery, message: workMessage(jobId, { ...place, bounds }) };
  const deadline = Math.min(deps.deadline, clock.now() + limits.inlineMs + limits.deadlineMarginMs);
  const acknowledged = await deps.runWorker([held], { ...deps, queue: deps.workQueue, deadline, pull: false });
  const result = await store.head(resultKey(jobId, place));
  const last = await lastTick(store, jobId);
  if (result === undefined || last === undefined) {
    // The guard tick is far away, and the job goes on now. What was given up has no message by which another worker would find it.
    await sendDueTick(deps, jobId, { effectsDone: true, resend: !acknowledged.has(delivery.messageId) });
    return { jobId, state: 'running' };
  }
  const totals = await readDigest(store, jobId, place);
  const record = {
    ...last,
    at: clock.now(),
    totals,
    settledChunks: 1,
    end: totals.cancelled > 0 ? 'cancelled' : 'done',
  } as const;
  const summary = summarize(manifest, record);
  await endJob(deps, summary);
  const metrics = settledMetrics(last.totals, totals, true);
  deps.log('info', 'a job ended in the invocation that started it', { jobId, metrics });
  return answerEnded(store, manifest, summary);
}

async function answerEnded(store: ObjectStore, manifest: Manifest, summary: Summary): Promise<FanOutAnswer> {
  const { jobId, inline } = manifest;
  const rows = inline ? await readSmallChunk(store, { job: jobId, place: onlyChunk }, limits.answerBytes) : undefined;
  if (rows === undefined) return { jobId, state: 'done', summary };
  // Lambda writes the answer: what it could not write, a BigInt, goes as the text that it stands for.
  return { jobId, state: 'done', summary, rows: parseToWrite(toJson(rows) ?? '[]') as readonly Row[] };
}

async function answerAgain(deps: FanOutDeps, manifest: Manifest): Promise<FanOutAnswer> {
  const { store } = deps;
  const { jobId } = manifest;
  const folder = manifestFolder(manifest);
  const summary = await readSummary(store, folder);
  if (summary !== undefined) {
    // Who asks again has put the marker there again.
    await unmarkRunning(store, folder);
    return answerEnded(store, manifest, summary);
  }
  // The first who asked may have died before its first turn.
  await sendDueTick(deps, folder, { guard: true });
  return { jobId, state: 'running' };
}
