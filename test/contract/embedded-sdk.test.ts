import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CloudConnection, openEmbeddedCloud } from '../../src/cloud/host/cloud.ts';
import { environmentNames } from '../../src/runtime/environment.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { embeddedStack } from '../../src/targets/embedded-stack.ts';
import { ContractClient, contractSettings } from './client.ts';
import { startCountingServer } from './counting-server.ts';

/** Functions of the embedded cloud go without the SDK, those on AWS by it: here one job does that on this machine. */
let stateDir: string;
let cloud: CloudConnection;
let downstream: Awaited<ReturnType<typeof startCountingServer>>;
const agents = new Set<string>();
beforeAll(async () => {
  vi.stubEnv(environmentNames.sdk, 'true');
  stateDir = await mkdtemp(path.join(tmpdir(), 'fanloop-contract-sdk-'));
  downstream = await startCountingServer((at, call) => (at === '/once' && call === 1 ? 'crash' : 'live'));
  cloud = await openEmbeddedCloud(
    { stateDir, settings: contractSettings },
    {
      synthesize: embeddedStack,
      clock: systemClock,
      disturb: ({ headers, method }) => {
        // Those of functions, which have keys of their own.
        if (headers.authorization?.includes('Credential=FUNCTION')) agents.add(`${method} ${headers['user-agent']}`);
        return undefined;
      },
    },
  );
});
afterAll(async () => {
  await cloud.close();
  await downstream.close();
  await rm(stateDir, { recursive: true });
  vi.unstubAllEnvs();
});

it('runs a job whose functions call by the SDK, through the death of a worker', async () => {
  const client = new ContractClient({ ...cloud, cli: ['--state', stateDir] });
  const items = Array.from({ length: 400 }, (_, n) => ({
    echo: n,
    waitMs: 20,
    ...(n === 200 ? { ask: `${downstream.url}/once` } : {}),
  }));
  const { summary, rows } = await client.ended(await client.submitItems(items));
  expect(summary).toMatchObject({ end: 'done', items: 400, totals: { succeeded: 400 } });
  expect(rows.map((row) => row.status === 'succeeded' && (row.value as { echo: number }).echo)).toEqual(
    items.map(({ echo }) => echo),
  );
  expect([...agents].filter((agent) => !agent.includes('aws-sdk-js'))).toEqual([]);
  expect(new Set([...agents].map((agent) => agent.split(' ')[0]))).toEqual(
    new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']),
  );
}, 240_000);
