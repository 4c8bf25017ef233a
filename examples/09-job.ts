// The same program here and as a job in the cloud: the only line that changes is where it runs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gather } from '../src/aio/gather.ts';
import { run } from '../src/aio/run.ts';
import { sleep } from '../src/aio/sleep.ts';
import { Jobs } from '../src/client/jobs.ts';
import { openEmbeddedCloud } from '../src/cloud/host/cloud.ts';

interface Greeting {
  readonly delayMs: number;
  readonly message: string;
}

async function sayAfter({ delayMs, message }: Greeting): Promise<string> {
  await sleep(delayMs);
  return message;
}

async function main(runAll: (items: readonly Greeting[]) => Promise<readonly unknown[]>): Promise<void> {
  const items = Array.from({ length: 50 }, (_, n) => ({ delayMs: 1_000, message: `Hello ${n}` }));
  const messages = await runAll(items);
  console.log(`${messages.length} messages, from "${messages[0]}" to "${messages.at(-1)}"`);
}

const stateDir = await mkdtemp(path.join(tmpdir(), 'fanloop-example-'));
const cloud = await openEmbeddedCloud({ stateDir, settings: {} });
const jobs = new Jobs(cloud, cloud.outputs);

const here = (items: readonly Greeting[]) => gather(items.map((item) => () => sayAfter(item)));
const inTheCloud = async (items: readonly Greeting[]) => {
  const job = await jobs.submit('say-after', items);
  return Array.fromAsync(job.results(), (row) => (row.status === 'succeeded' ? row.value : row.status));
};

try {
  await run(() => main(here));
  await run(() => main(inTheCloud));
} finally {
  jobs.close();
  await cloud.close();
  await rm(stateDir, { recursive: true });
}
