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
    // Two workers, and two more for the chunk of the item that does harm.
    expect(summary.totals.invocations).toBeLessThanOrEqual(4);
    for (const [n, row] of rows.entries())
      if (n !== poisoned) expect(row).toMatchObject({ status: 'succeeded', value: n });
    return { row: rows[poisoned], summary, calls, again };
  }

  /** Calls that are under way at once: only these may be made again when a process ends for an item. */
  const underWay = 200;

  it.each([
    ['ends it by exit', 'exit', {}],
    ['ends it by abort', 'abort', {}],
    ['ends it by a signal to itself', 'signal', {}],
    ['throws where nobody catches it', 'timer', {}],
    ['ends it by exit in a limited job, whose chunks have no messages', 'exit', { concurrency: 100 }],
  ])('fails alone as WorkerCrashed, and nobody is called again, when it %s', async (_, how, options) => {
    const { row, summary, again } = await run(how, options);
    expect(row).toMatchObject({
      error: { code: 'WorkerCrashed', message: expect.stringMatching(/"poison".*poison/s) },
    });
    expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
    expect(again).toBe(0);
  });

  it.each([{}, { concurrency: 100 }])(
    'fails alone when its process is killed from outside, with %j',
    async (options) => {
      const { row, summary, calls } = await run('kill', options);
      expect(row).toMatchObject({ status: 'failed', error: { code: 'WorkerCrashed' } });
      expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
      // With all others of its worker, with 200 apart, with the root of them, and alone.
      expect(Math.max(...calls)).toBeLessThanOrEqual(4);
    },
  );

  it('fails alone as OutOfMemory when it fills the memory, and who had answered is not called again', async () => {
    const { row, summary, calls, again } = await run('memory');
    expect(row).toMatchObject({ status: 'failed', error: { code: 'OutOfMemory' } });
    expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
    expect(again).toBeLessThanOrEqual(underWay);
    expect(Math.max(...calls)).toBeLessThanOrEqual(4);
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
    ['after its call', 'loop', {}, false],
    ['as the first it does', 'first', {}, false],
    ['right before others that wait for the same', 'loop', {}, true],
    ['in a limited job', 'loop', { concurrency: 100 }, false],
  ])(
    'fails alone as LoopBlocked, with its stack, when it blocks the loop for ever %s',
    async (_, how, options, together) => {
      const { row, summary, calls, again } = await run(how, options, together);
      expect(row).toMatchObject({
        status: 'failed',
        error: { code: 'LoopBlocked', message: expect.stringMatching(/"poison".*\n +at .*loop.*poison/s) },
      });
      expect(summary.totals).toMatchObject({ succeeded: 999, failed: 1 });
      // The one process that ends says for whom.
      expect(calls[poisoned]).toBeLessThanOrEqual(1);
      expect(Math.max(...calls)).toBeLessThanOrEqual(2);
      expect(again).toBeLessThanOrEqual(underWay);
    },
  );
});
