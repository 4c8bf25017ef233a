import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CloudConnection, openEmbeddedCloud } from '../../src/cloud/host/cloud.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { embeddedStack } from '../../src/targets/embedded-stack.ts';
import { ContractClient, contractSettings } from './client.ts';
import { startCountingServer } from './counting-server.ts';

/** An item that ends its process fails alone: on real processes of the embedded cloud, with the stack's own settings. */
describe('an item that harms its process', () => {
  const { tasks, removalPolicy } = contractSettings;
  let stateDir: string;
  let cloud: CloudConnection;
  let client: ContractClient;
  let downstream: Awaited<ReturnType<typeof startCountingServer>>;
  beforeAll(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'fanloop-suspects-'));
    cloud = await openEmbeddedCloud(
      { stateDir, settings: { tasks, removalPolicy, workers: 2, allowPrivateNetwork: true } },
      { synthesize: embeddedStack, clock: systemClock },
    );
    client = new ContractClient({ ...cloud, cli: [] });
    downstream = await startCountingServer(() => 'live');
  });
  afterAll(async () => {
    downstream.close();
    await cloud.close();
    await rm(stateDir, { recursive: true });
  });

  const poisoned = 300;

  /** Runs 1,000 items in two chunks, one of which does harm; its neighbours take 100 ms each. */
  async function run(how: string, options = {}, together = false) {
    const url = (n: number): string => `/${how}/${together}/${Object.keys(options).join()}/${n}`;
    const items = Array.from({ length: 1_000 }, (_, n) => ({
      n,
      waitMs: 100,
      together,
      ask: `${downstream.url}${url(n)}`,
      ...(n === poisoned ? { how } : {}),
    }));
    const jobId = await client.submit({ task: 'poison', lines: items.map((item) => JSON.stringify(item)), options });
    const { rows, summary } = await client.ended(jobId);
    const calls = items.map(({ n }) => downstream.callsOf(url(n)));
    const again = calls.filter((count) => count > 1).length;
    for (const [n, row] of rows.entries())
      if (n !== poisoned) expect(row).toMatchObject({ status: 'succeeded', value: n });
    return { row: rows[poisoned], summary, calls, again };
  }

  it.each([
    ['exit', 'WorkerCrashed'],
    ['abort', 'WorkerCrashed'],
    ['signal', 'WorkerCrashed'],
    ['timer', 'WorkerCrashed'],
    ['memory', 'OutOfMemory'],
  ])('fails alone when it ends it by %s, as %s', async (how, code) => {
    const { row, summary, calls } = await run(how);
    expect(row).toMatchObject({ status: 'failed', error: { code } });
    expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
    expect(Math.max(...calls)).toBeLessThanOrEqual(5);
  });

  it('fails alone in a limited job as well, whose chunks have no messages', async () => {
    const { row, summary, calls } = await run('exit', { concurrency: 100 });
    expect(row).toMatchObject({ status: 'failed', error: { code: 'WorkerCrashed' } });
    expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
    expect(Math.max(...calls)).toBeLessThanOrEqual(5);
  });

  it.each(['rejection', 'late-rejection'])(
    'fails alone, and nobody is called again, when it leaves a %s',
    async (how) => {
      const { row, again } = await run(how);
      expect(row).toMatchObject({
        status: 'failed',
        error: { code: 'UnhandledRejection', message: expect.stringMatching(/"poison".*stray/s) },
      });
      expect(again).toBe(0);
    },
  );

  it.each([
    ['after its call', 'loop', false],
    ['as the first it does', 'first', false],
    ['right before others that wait for the same', 'loop', true],
  ])('fails alone as LoopBlocked, with its stack, when it blocks the loop for ever %s', async (_, how, together) => {
    const { row, summary, calls } = await run(how, {}, together);
    expect(row).toMatchObject({
      status: 'failed',
      error: { code: 'LoopBlocked', message: expect.stringMatching(/"poison".*\n +at .*loop.*poison/s) },
    });
    expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
    // One process of the worker ends, and one apart from it, which says for whom.
    expect(calls[poisoned]).toBeLessThanOrEqual(2);
    expect(Math.max(...calls)).toBeLessThanOrEqual(3);
  });
});
