import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pauseJob, tuneJob, unpauseJob } from '../../src/client/steer.ts';
import { limits } from '../../src/limits.ts';
import { patienceMs } from '../../src/worker/stop-share.ts';
import { ContractClient, contractSettings, type Harness } from './client.ts';
import { excessOver, type Meter, mostAtOnce, startMeteredServer } from './metered-server.ts';

/** Limits that hold for a job as a whole, on every target: judged by a server that counts. */
export function limitsSuite(harness: () => Harness): void {
  let client: ContractClient;
  let downstream: Awaited<ReturnType<typeof startMeteredServer>>;
  beforeAll(async () => {
    client = new ContractClient(harness());
    // "/20-a-second" refuses what is more.
    downstream = await startMeteredServer((path, inThisSecond) =>
      path === '/broken'
        ? { status: 400 }
        : path === '/20-a-second' && inThisSecond() >= 20
          ? { status: 429, retryAfter: '1' }
          : { status: 200 },
    );
  });
  afterAll(() => downstream.close());

  /** Starts a job whose items all call one path, each for `ms`. */
  async function start(path: string, job: { readonly count: number; readonly ms: number; readonly options?: object }) {
    const line = JSON.stringify({ url: `${downstream.url}${path}`, ms: job.ms });
    const lines = new Array<string>(job.count).fill(line);
    const jobId = await client.submit({ task: 'metered', lines, options: job.options ?? {} });
    return { jobId, meter: downstream.meter(path) };
  }

  /** Waits for the end of a job whose items all succeed. */
  async function allSucceed(jobId: string, count: number) {
    const { summary } = await client.ended(jobId);
    expect(summary).toMatchObject({ end: 'done', totals: { succeeded: count, codes: {} } });
    return summary;
  }

  const together = (meter: Meter, count: number) =>
    client.until(`${count} calls at once`, async () => (meter.open >= count ? true : undefined));
  const calls = (meter: Meter, count: number) =>
    client.until(`${count} calls`, async () => (meter.calls.length >= count ? true : undefined));

  describe.concurrent('limits of a job', () => {
    it.each([
      [1, 40, 50],
      [20, 400, 200],
    ])('never lets more than %i calls run at once, and uses them', async (most, count, ms) => {
      const options = { limits: { maxConcurrency: most }, timeoutMs: 60_000 };
      const letGo = downstream.hold(`/${most}-at-once`);
      const { jobId, meter } = await start(`/${most}-at-once`, { count, ms, options });
      await together(meter, most);
      letGo();
      await allSucceed(jobId, count);
      expect(meter.most).toBe(most);
      expect(meter.calls).toHaveLength(count);
    });

    it.each([
      ['50/s', 50, 250],
      ['0.5/s', 0.5, 4],
    ])('starts no more than %s', async (rate, perSecond, count) => {
      const path = `/${perSecond}-a-second`;
      const { jobId, meter } = await start(path, { count, ms: 100, options: { limits: { rate } } });
      await allSucceed(jobId, count);
      expect(excessOver(perSecond, meter.calls, 1)).toBeLessThanOrEqual(0);
      expect(meter.calls).toHaveLength(count);
    });

    it('obeys a lower limit and then a higher one while it runs', async () => {
      // Where calls may move to another worker, who gains waits until those of the other must have ended.
      const options = { limits: { maxConcurrency: 12 }, timeoutMs: 10_000 };
      const letGo = downstream.hold('/tuned');
      const { jobId, meter } = await start('/tuned', { count: 600, ms: 200, options });
      await together(meter, 12);
      const lowered = await tuneJob(client.steer, jobId, 'test', { maxConcurrency: 2 });
      letGo();
      const obeyed = Date.parse(lowered.at) + limits.raiseAfterMs;
      await client.until('a time that is obeyed', async () => (Date.now() > obeyed + 500 ? true : undefined));
      const before = meter.calls.length;
      await calls(meter, before + 8);
      expect(mostAtOnce(meter.calls, obeyed)).toBeLessThanOrEqual(2);
      await tuneJob(client.steer, jobId, 'test', { maxConcurrency: 12 });
      const letGoAgain = downstream.hold('/tuned');
      await together(meter, 12);
      letGoAgain();
      await allSucceed(jobId, 600);
      expect(meter.most).toBe(12);
    });

    it('starts nothing in a pause, and goes on when it is resumed', async () => {
      const options = { limits: { maxConcurrency: 4 }, timeoutMs: 60_000 };
      const letGo = downstream.hold('/paused');
      const { jobId, meter } = await start('/paused', { count: 120, ms: 200, options });
      await together(meter, 4);
      const paused = await pauseJob(client.steer, jobId, 'test');
      letGo();
      const obeyed = Date.parse(paused.at) + limits.raiseAfterMs;
      await client.until('a time in the pause', async () => (Date.now() > obeyed + 2_000 ? true : undefined));
      expect(meter.calls.filter(({ at }) => at > obeyed)).toEqual([]);
      expect(meter.calls.length).toBeLessThan(120);
      await unpauseJob(client.steer, jobId, 'test');
      await allSucceed(jobId, 120);
      expect(meter.most).toBe(4);
    });

    it('slows down by itself where the downstream refuses, and fails nothing', async () => {
      const { jobId } = await start('/20-a-second', { count: 100, ms: 10, options: { timeoutMs: 60_000 } });
      const { totals } = await allSucceed(jobId, 100);
      expect(totals.attempts).toBeLessThan(3 * 100);
    });
  });

  // By itself: its many calls would keep the server from those of others.
  describe('a job that stops at a count', () => {
    it.each([
      ['succeeded', '/enough', { minSuccessful: 1_500 }, 1_500],
      ['tolerated', '/broken', { toleratedFailureCount: 300 }, 301],
    ] as const)('stops without a limit within what is under way and in line: %s', async (reason, path, of, stop) => {
      const options = { limits: of, attempts: 1, timeoutMs: 60_000 };
      const { jobId, meter } = await start(path, { count: 12_000, ms: 20, options });
      const { summary } = await client.ended(jobId);
      expect(summary).toMatchObject({ reason });
      // Where no turn comes for so long, on a slow machine, each worker begins one chunk more.
      const chunks = 1 + Math.floor(summary.wallMs / patienceMs);
      const most = contractSettings.workers * (1.5 * limits.concurrency + chunks * limits.stopChunkItems);
      expect(meter.calls.length).toBeGreaterThanOrEqual(stop);
      expect(meter.calls.length).toBeLessThanOrEqual(stop + most);
    });
  });
}
