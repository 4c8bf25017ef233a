/**
 * The worker's real path beside the bare loop of `undici.request`, in one process, in turns: intake, timeout, attempts, signal, row, and
 * the result of each chunk. Store and queue are in memory, so that only the loop is measured; without the ramp of a job's first second,
 * in which a worker has fewer calls under way than the bare loop. `node bench/loop.ts http://127.0.0.1:8080/`
 */
import { Agent, request } from 'undici';
import { task as http } from '../lambdas/tasks/http.ts';
import { ModelBucket } from '../src/cloud/model/objects.ts';
import { ModelQueue } from '../src/cloud/model/queue.ts';
import { ModelQueuePort } from '../src/cloud/model/queue-port.ts';
import { ModelStore } from '../src/cloud/model/store-port.ts';
import { useConnectors } from '../src/connectors/settings.ts';
import { resultsPrefix } from '../src/format/paths.ts';
import { limits } from '../src/limits.ts';
import { systemClock, systemRandom, threadCpuMs } from '../src/runtime/system.ts';
import { fanOut } from '../src/start/fan-out.ts';
import { registryOf } from '../src/task/registry.ts';
import { toHeldMessage } from '../src/worker/held-message.ts';
import { runWorker } from '../src/worker/worker-loop.ts';
import type { LoopResult } from './results.ts';

const [url = '', given = '60000', times = '5'] = process.argv.slice(2);
const calls = Number(given);
const rounds = Number(times);
const atOnce = 200;
useConnectors({ clock: systemClock, random: systemRandom, allowPrivateNetwork: true });
const dispatcher = new Agent({ connections: atOnce });

/** Microseconds of processor time an item. */
async function measure(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function bare(): Promise<void> {
  let left = calls;
  const rows: string[] = [];
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body } = await request(url, { dispatcher });
      rows.push(JSON.stringify({ index: left, status: statusCode, value: await body.json() }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  Buffer.from(rows.join('\n'));
}

/** A job that stands, its messages sent: what a worker is started for. */
async function prepared(): Promise<() => Promise<void>> {
  const parts = { clock: systemClock, newId: () => String(Math.random()), random: systemRandom };
  const settings = { retentionSeconds: 86_400, visibilitySeconds: 1_800 };
  const queue = new ModelQueuePort({ queue: new ModelQueue('work', parts, settings), clock: systemClock });
  const tickQueue = new ModelQueuePort({ queue: new ModelQueue('ticks', parts, settings), clock: systemClock });
  const store = new ModelStore({ bucket: new ModelBucket(systemClock), clock: systemClock });
  const deps = {
    store,
    input: store,
    queue,
    workQueue: queue,
    tickQueue,
    tasks: registryOf({ http }),
    clock: systemClock,
    random: systemRandom,
    cpuMs: threadCpuMs,
    log: () => undefined,
    writer: 'bench',
    leaseSeconds: limits.leaseSeconds,
    checkpointMs: limits.checkpointMs,
    runWorker,
    deadline: Date.now() + 600_000,
    stack: { bucket: 'jobs', workers: 2, workerMemoryMb: limits.workerMemoryMb, bundleHash: 'bench' },
  };
  const items = new Array<string>(calls).fill(url);
  const { jobId } = await fanOut(
    deps,
    { task: 'http', items, wait: false, options: { perWorker: atOnce, limits: { rampMs: 0 } } },
    'bench',
  );
  const [first] = await queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 600 });
  const held = first === undefined ? undefined : toHeldMessage(first, deps.log);
  if (held === undefined) throw new Error('expected a message of the job, got none');
  return async () => {
    await runWorker([held], { ...deps, pull: true });
    const chunks = (await store.list(resultsPrefix(jobId, 0))).length;
    if (chunks < calls / limits.chunkItems) throw new Error(`expected a result of every chunk, got ${chunks}`);
  };
}

const measured: { readonly bare: number[]; readonly worker: number[] } = { bare: [], worker: [] };
for (let round = 0; round <= rounds; round++) {
  const bareUs = await measure(bare);
  const work = await prepared();
  const workerUs = await measure(work);
  // The first round warms the compiler.
  if (round > 0) {
    measured.bare.push(bareUs);
    measured.worker.push(workerUs);
  }
}
const result: LoopResult = {
  calls,
  rounds,
  bareUs: Math.min(...measured.bare),
  workerUs: Math.min(...measured.worker),
};
console.log(JSON.stringify(result));
process.exit();
