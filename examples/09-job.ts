// The same program here and as a job in the cloud: the only line that changes is where it runs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gather, run, sleep } from '../src/aio/index.ts';
import { connect } from '../src/targets/connect.ts';

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
const fanloop = await connect({ state: stateDir });

const here = (items: readonly Greeting[]) => gather(items.map((item) => () => sayAfter(item)));
const inTheCloud = (items: readonly Greeting[]) => fanloop.map('say-after', items);

try {
  await run(() => main(here));
  await run(() => main(inTheCloud));
} finally {
  await fanloop.close();
  await rm(stateDir, { recursive: true });
}
