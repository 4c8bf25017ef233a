import { readManifest } from '../folder/read.ts';
import { settleRest } from '../folder/store-result.ts';
import { encodeMessage, folderOf, parseMessage, type TickMessage, type WorkMessage } from '../format/message.ts';
import { metricNames } from '../format/metrics.ts';
import type { Row } from '../format/outcome.ts';
import { resultKey, segmentGen, segmentsPrefix, stalledKey, summaryKey } from '../format/paths.ts';
import { stalledFormat } from '../format/tick.ts';
import { limits } from '../limits.ts';
import type { Clock, Log, ObjectStore, Queue } from '../ports.ts';

/** The outside of {@link settleDeadLetter}. */
export interface DeadLetterDeps {
  readonly store: ObjectStore;
  readonly tickQueue: Queue;
  readonly workQueue: Queue;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: string;
}

/** Settles one dead letter, so that every job ends. @throws Error when newer code has to read it: then it stays in the queue. */
export async function settleDeadLetter(deps: DeadLetterDeps, body: string): Promise<void> {
  const parsed = parseMessage(body);
  if (parsed.kind === 'newer')
    throw new Error(`expected a message of version 1, got version ${parsed.version}; deploy newer code`);
  if (parsed.kind === 'foreign') return deps.log('warn', `a foreign dead letter was dropped: ${parsed.problem}`);
  const { message } = parsed;
  if (message.kind === 'tick') await settleTick(deps, message);
  else if (message.kind === 'work') await settleWork(deps, message);
  // The job's turn rings again.
  else deps.log('warn', 'a bell that nobody could answer was dropped', { jobId: message.job, seat: message.seat });
}

/** A dead tick is sent again, later each time; at last the job is stalled. */
async function settleTick(deps: DeadLetterDeps, tick: TickMessage): Promise<void> {
  const { store, tickQueue, clock, log } = deps;
  // The turn that it is for has a message of its own, which says what becomes of it.
  if (tick.guard === true) return log('warn', 'the guard of a turn was dropped', { jobId: tick.job, n: tick.n });
  if ((await store.head(summaryKey(folderOf(tick)))) !== undefined) return;
  const deaths = tick.deaths ?? 0;
  const delaySeconds = limits.deadTickDelaysSeconds[deaths];
  if (delaySeconds === undefined) {
    const at = new Date(clock.now()).toISOString();
    await store.put(stalledKey(folderOf(tick)), stalledFormat.encode({ v: 1, n: tick.n, at }));
    const metrics = { [metricNames.jobsStalled]: 1, [metricNames.deadLetters]: 1 };
    return log('error', 'a job is stalled: its tick died again and again', { jobId: tick.job, n: tick.n, metrics });
  }
  await tickQueue.send([encodeMessage({ ...tick, deaths: deaths + 1 })], { group: tick.job, delaySeconds });
  const metrics = { [metricNames.deadLetters]: 1 };
  log('warn', 'a dead tick was sent again', { jobId: tick.job, n: tick.n, delaySeconds, metrics });
}

/**
 * A dead chunk goes on unless its result stands or a later message has it. That its message came back again and again says nothing
 * of why: it is sent again, to run where a worker cannot die of it, later each time; at last its items fail.
 */
async function settleWork(deps: DeadLetterDeps, work: WorkMessage): Promise<void> {
  const { store, writer, log, workQueue } = deps;
  const jobId = work.job;
  const folder = folderOf(work);
  const place = { part: work.part, chunk: work.chunk };
  if ((await readManifest(store, folder)) === undefined)
    return log('warn', 'a dead letter of a job without a manifest was dropped', { jobId });
  if ((await store.head(resultKey(folder, place))) !== undefined) return;
  const prefix = segmentsPrefix(folder, place);
  const goesOn = (await store.list(prefix)).some((key) => segmentGen(key.slice(prefix.length)) > work.gen);
  if (goesOn)
    return log('info', 'a dead letter was dropped: a later message goes on with its chunk', {
      jobId,
      ...place,
      gen: work.gen,
    });
  const deaths = work.deaths ?? 0;
  const delaySeconds = limits.deadWorkDelaysSeconds[deaths];
  if (delaySeconds !== undefined) {
    await workQueue.send([encodeMessage({ ...work, deaths: deaths + 1 })], { group: jobId, delaySeconds });
    return log('warn', 'a dead chunk was sent again', { jobId, ...place, gen: work.gen, delaySeconds });
  }
  const used = new Map(work.only ?? []);
  const makeRow = (index: number): Row => ({
    index,
    status: 'failed',
    error: {
      code: 'DeadLetter',
      message: `no worker stored an outcome: its message became a dead letter ${deaths + 1} times; see "fanloop logs"`,
      retryable: false,
    },
    attempts: used.get(index) ?? 0,
    durationMs: 0,
  });
  const bounds = { start: work.range[0], end: work.range[1], first: work.first, count: work.count };
  await settleRest(store, { job: folder, place, chunk: bounds }, { writer, makeRow });
  const metrics = { [metricNames.deadLetters]: 1 };
  log('error', 'a chunk died: its unsettled items have failed', { jobId, ...place, gen: work.gen, metrics });
}
