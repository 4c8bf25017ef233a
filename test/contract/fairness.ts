import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelJob } from '../../src/client/steer.ts';
import { lastTick } from '../../src/folder/read.ts';
import { ContractClient, type Harness } from './client.ts';
import { startCountingServer } from './counting-server.ts';

/** How jobs share the workers of a stack, on every target. */
export function fairnessSuite(harness: () => Harness): void {
  let client: ContractClient;
  let downstream: Awaited<ReturnType<typeof startCountingServer>>;
  beforeAll(async () => {
    client = new ContractClient(harness());
    downstream = await startCountingServer(() => 'live');
  });
  afterAll(() => downstream.close());

  describe('a small job beside a large one', () => {
    it('ends before any chunk of the large one does, each of which keeps a worker for five minutes', async () => {
      const item = { waitMs: 20_000, ask: `${downstream.url}/large` };
      const large = await client.submitItems(new Array(1_200).fill(item), { perWorker: 5, timeoutMs: 30_000 });
      await client.until('calls of the large job', async () => (downstream.callsOf('/large') >= 5 ? true : undefined));
      const small = await client.submitItems(Array.from({ length: 60 }, (_, echo) => ({ waitMs: 100, echo })));
      const { summary } = await client.ended(small);
      expect(summary.totals.succeeded).toBe(60);
      expect((await lastTick(client.store, large))?.settledChunks).toBe(0);
      await cancelJob(client.steer, large, 'test');
      expect((await client.ended(large)).summary.end).toBe('cancelled');
    });
  });
}
