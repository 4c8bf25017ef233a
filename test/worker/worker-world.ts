import { readTable } from '../../src/folder/read.ts';
import { readChunkRows } from '../../src/folder/read-rows.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { encodeMessage, parseMessage, type WorkMessage } from '../../src/format/message.ts';
import type { Row } from '../../src/format/outcome.ts';
import { manifestKey } from '../../src/format/paths.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { cutInput, uncut } from '../../src/job/cut.ts';
import type { WorkerDeps } from '../../src/worker/deps.ts';
import { toHeldMessage } from '../../src/worker/held-message.ts';
import { runWorker } from '../../src/worker/worker-loop.ts';
import { type Life, slowTask, World } from '../job/world.ts';

/** The only chunk of a job of one chunk. */
export const place = { part: 0, chunk: 0 };

/** Options of a job that is cut and whose messages are in the queue. */
export interface JobSetup {
  readonly jobId?: string;
  readonly items: ReadonlyArray<Record<string, unknown>>;
  readonly options?: Partial<Manifest['options']>;
  /** All items are one chunk. @default true */
  readonly inline?: boolean;
  readonly workers?: number;
}

export async function addJob(world: World, setup: JobSetup): Promise<WorkMessage[]> {
  const { jobId = 'j', items, inline = true, workers = 2 } = setup;
  const body = new TextEncoder().encode(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const etag = (await world.store.put(`${jobId}.in`, body)) ?? '';
  const manifest: Manifest = {
    v: 1,
    jobId,
    task: Object.keys(world.tasks).includes(jobId) ? jobId : 't',
    createdAt: new Date(world.clock.now()).toISOString(),
    bundle: '',
    input: { bucket: 'b', key: `${jobId}.in`, bytes: body.length, etag, format: 'ndjson' },
    options: { concurrency: 500, timeoutMs: 10_000, attempts: 3, ...setup.options },
    workers,
    workerMemoryMb: 1_024,
    inline,
    request: '',
  };
  await world.store.put(manifestKey(jobId), JSON.stringify(manifest));
  const task = world.tasks[manifest.task];
  if (task === undefined) throw new Error('expected a task');
  const { store, clock } = world;
  await cutInput({ store, input: store, clock }, { manifest, task, progress: uncut, until: Number.POSITIVE_INFINITY });
  const table = await readTable(store, jobId, 0);
  const messages = (table?.chunks ?? []).map((bounds, chunk) => workMessage(jobId, { part: 0, chunk, bounds }));
  await world.workQueue.send(messages.map(encodeMessage), { group: jobId });
  return messages;
}

/** Starts one invocation with the queue's next message; the answer tells which messages were acknowledged. */
export async function begin(world: World, life: Life = world.invoke(), more: Pick<WorkerDeps, 'places'> = {}) {
  const received = await world.workQueue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 1_800 });
  const messages = received.map((message) => toHeldMessage(message, world.log)).filter((held) => held !== undefined);
  const acknowledged = runWorker(messages, { ...life.deps, ...more });
  return { acknowledged, messageId: received[0]?.messageId ?? '' };
}

export async function work(world: World, seconds?: number): Promise<ReadonlySet<string>> {
  const life = world.invoke(seconds);
  return world.clock.run((await begin(world, life)).acknowledged);
}

export const rowsOf = async (world: World, at = place, jobId = 'j'): Promise<Row[]> =>
  (await readChunkRows(world.store, jobId, at)) ?? [];

export const queued = (world: World): WorkMessage[] =>
  world.workQueue.messages.map(({ body }) => {
    const parsed = parseMessage(body);
    if (parsed.kind !== 'message' || parsed.message.kind !== 'work') throw new Error('expected work');
    return parsed.message;
  });

export const repeat = (count: number, item: Record<string, unknown> = {}): Array<Record<string, unknown>> =>
  Array.from({ length: count }, (_, n) => ({ n, ...item }));

export function worldWith(...given: Parameters<typeof slowTask> extends [unknown, ...infer Rest] ? Rest : never) {
  const world = new World();
  const { task, calls } = slowTask(world.clock, ...given);
  world.tasks = { t: task };
  return { world, calls };
}
