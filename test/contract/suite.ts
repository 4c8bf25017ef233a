import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fanloop } from '../../src/client/fanloop.ts';
import { cancelJob } from '../../src/client/steer.ts';
import { lastTick, readControl, readTable } from '../../src/folder/read.ts';
import { encodeMessage } from '../../src/format/message.ts';
import { resultKey } from '../../src/format/paths.ts';
import { workMessage } from '../../src/format/work-message.ts';
import { connectStack } from '../../src/targets/stack-clients.ts';
import { ContractClient, type Harness } from './client.ts';
import { startCountingServer } from './counting-server.ts';

/** What every target must do: written once, run against each. */
export function contractSuite(harness: () => Harness): void {
  let client: ContractClient;
  let downstream: Awaited<ReturnType<typeof startCountingServer>>;
  beforeAll(async () => {
    client = new ContractClient(harness());
    // "/once" kills the first worker that asks, "/again" the second, "/always" each.
    downstream = await startCountingServer((at, call) =>
      at === '/always' || (at === '/once' && call === 1) || (at === '/again' && call === 2) ? 'crash' : 'live',
    );
  });
  afterAll(() => downstream.close());
  const ask = (at: string) => ({ ask: `${downstream.url}${at}` });

  describe.concurrent('jobs that go well', () => {
    it('answers a small direct invocation with its rows', async () => {
      const items = [
        { delayMs: 200, message: 'Hello' },
        { delayMs: 100, message: 'World' },
      ];
      const { payload, logTail } = await client.invoke({ task: 'say-after', items });
      expect(payload).toMatchObject({
        state: 'done',
        rows: [{ value: 'Hello' }, { value: 'World' }],
        summary: { totals: { succeeded: 2 } },
      });
      expect(logTail).toContain('REPORT RequestId');
      // Proven above to be the answer of a job.
      await client.ended((payload as { jobId: string }).jobId);
    });

    it('runs 1,000 items through SQS and records each once, in order', async () => {
      const jobId = await client.submitItems(Array.from({ length: 1_000 }, (_, n) => ({ waitMs: 20, echo: n })));
      const { summary, rows } = await client.ended(jobId);
      expect(summary).toMatchObject({ end: 'done', items: 1_000, totals: { succeeded: 1_000, attempts: 1_000 } });
      expect(rows.map((row) => row.status === 'succeeded' && (row.value as { echo: number }).echo)).toEqual(
        rows.map((row) => row.index),
      );
      expect(
        rows.map((row) => row.status === 'succeeded' && (row.value as { idempotencyKey: string }).idempotencyKey),
      ).toEqual(rows.map((row) => `${jobId}/${row.index}`));
    });

    it('runs what failed again as a pass, through the death of a worker, and reads as one result set', async () => {
      const failing = (n: number): boolean => n % 10 === 0;
      const items = Array.from({ length: 300 }, (_, n) => ({
        echo: n,
        ...(failing(n) ? { failTimes: 1, waitMs: 50 } : {}),
        ...(n === 150 ? ask('/again') : {}),
      }));
      await using jobs = new Fanloop(connectStack(harness(), harness().outputs, { outlivesProcess: () => true }));
      const job = await jobs.submit('flaky', items, { attempts: 1 });
      expect(await job.summary()).toMatchObject({ totals: { succeeded: 270, failed: 30, codes: { Refused: 30 } } });
      expect(await job.redrive({ codes: ['Refused'], attempts: 2, concurrency: 2 })).toBe(30);
      const summary = await job.summary();
      expect(summary).toMatchObject({
        end: 'done',
        items: 300,
        passes: 1,
        totals: { succeeded: 300, failed: 0, codes: {} },
      });
      const rows = await Array.fromAsync(job.results());
      expect(rows.map((row) => row.status === 'succeeded' && row.value)).toEqual(
        items.map((_, n) => ({
          echo: n,
          attempt: failing(n) ? expect.any(Number) : 1,
          idempotencyKey: `${job.id}/${n}${failing(n) ? '/1' : ''}`,
        })),
      );
      // Called once by the job, and in the pass by the worker that died and by the next one.
      expect(downstream.callsOf('/again')).toBeGreaterThanOrEqual(3);
    });

    it('tries refused items again, not before the time that the downstream asks for', async () => {
      const began = Date.now();
      const jobId = await client.submitItems([{ failTimes: 1 }, { failTimes: 2, retryAfterMs: 700 }, { failTimes: 9 }]);
      const { rows, summary } = await client.ended(jobId);
      expect(rows).toMatchObject([
        { status: 'succeeded', attempts: 2 },
        { status: 'succeeded', attempts: 3 },
        { status: 'failed', attempts: 3, error: { code: 'Refused' } },
      ]);
      expect(summary.totals.attempts).toBe(8);
      expect(Date.now() - began).toBeGreaterThanOrEqual(1_400);
    });

    it('counts failures by their reason', async () => {
      const items = Array.from({ length: 60 }, (_, n) =>
        n % 3 === 0 ? { code: 'NotFound' } : n % 3 === 1 ? { code: 'Refunded' } : { echo: n },
      );
      const { summary } = await client.ended(await client.submitItems(items));
      expect(summary.totals).toMatchObject({ succeeded: 20, failed: 40, codes: { NotFound: 20, Refunded: 20 } });
    });

    it('aborts an attempt at its timeout', async () => {
      const jobId = await client.submitItems([{ waitMs: 60_000 }, { echo: 1 }], { timeoutMs: 300, attempts: 1 });
      const { rows } = await client.ended(jobId);
      expect(rows).toMatchObject([{ status: 'failed', error: { code: 'Timeout' } }, { status: 'succeeded' }]);
    });

    it('hands over what an invocation cannot end in time, and another goes on', async () => {
      // The fan-out gives an inline job 20 s: two items one after another fit, the third does not.
      const items = [
        { waitMs: 7_500, echo: 0 },
        { waitMs: 7_500, echo: 1 },
        { waitMs: 100, echo: 2 },
      ];
      const { payload } = await client.invoke({ task: 'flaky', items, options: { concurrency: 1, timeoutMs: 8_000 } });
      expect(payload).toMatchObject({ state: 'running' });
      const { summary } = await client.ended((payload as { jobId: string }).jobId);
      expect(summary.totals).toMatchObject({ succeeded: 3, handOvers: 1, attempts: 3 });
      // A worker that still runs for another job takes the rest within its invocation, which is charged there.
      expect([1, 2]).toContain(summary.totals.invocations);
    });

    it('cancels what has not settled, and ends', async () => {
      const jobId = await client.submitItems(
        Array.from({ length: 40 }, (_, n) => (n < 10 ? { echo: n } : { waitMs: 100_000 })),
        { timeoutMs: 120_000 },
      );
      await cancelJob(client.steer, jobId, 'test');
      expect(await readControl(client.store, jobId)).toMatchObject({ state: 'cancelled', by: 'test' });
      const { summary } = await client.ended(jobId);
      expect(summary.end).toBe('cancelled');
      expect(summary.totals.cancelled).toBeGreaterThanOrEqual(30);
    });

    it('gives a program its rows as they settle, and the reason when it refuses an input', async () => {
      await using jobs = new Fanloop(connectStack(harness(), harness().outputs, { outlivesProcess: () => true }));
      const job = await jobs.submit(
        'flaky',
        Array.from({ length: 120 }, (_, n) => ({ waitMs: n, echo: n })),
      );
      const rows = await Array.fromAsync(job.asCompleted());
      expect(rows.map((row) => row.index).sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, n) => n));
      await expect(jobs.submit('say-after', [{ delayMs: -1, message: 'x' }])).rejects.toThrow('items[0]: delayMs');
      const refused = await jobs.submit('say-after', new Array(30).fill({ delayMs: -1, message: 'x' }));
      await expect(Array.fromAsync(refused.results())).rejects.toThrow('line 1: delayMs');
      await expect(jobs.find('00000000000000000000').summary()).rejects.toMatchObject({ code: 'JobNotFound' });
    });

    it('keeps two jobs apart that run at once', async () => {
      const jobs = await Promise.all(
        ['a', 'b'].map((name) =>
          client.submitItems(Array.from({ length: 200 }, (_, n) => ({ waitMs: 20, echo: `${name}${n}` }))),
        ),
      );
      const ended = await Promise.all(jobs.map((jobId) => client.ended(jobId)));
      for (const [job, name] of [...'ab'].entries()) {
        const values = ended[job]?.rows.map(
          (row) => row.status === 'succeeded' && (row.value as { echo: string }).echo,
        );
        expect(values).toEqual(Array.from({ length: 200 }, (_, n) => `${name}${n}`));
      }
    });

    it('passes odd characters and a 900 KB item unchanged', async () => {
      const odd = ['\u2028\u2029', '\ufffe\uffff', '\ud800 alone', 'é🎉\u0000', '"\\\n', 'x'.repeat(150_000)];
      const lines = [
        ...odd.map((echo) => JSON.stringify({ echo })),
        JSON.stringify({ code: 'Large', echo: 'y'.repeat(900_000) }),
      ];
      lines.push('{"echo":{"__proto__":{"deep":1}}}', lines[0] ?? '');
      const jobId = await client.submit({ lines: [`\ufeff${lines[0]}\r`, '', ...lines.slice(1), ''] });
      const { rows } = await client.ended(jobId);
      expect(
        rows.slice(0, odd.length).map((row) => row.status === 'succeeded' && (row.value as { echo: string }).echo),
      ).toEqual(odd);
      expect(rows[odd.length]).toMatchObject({ status: 'failed', error: { code: 'Large' } });
      expect(JSON.stringify(rows[odd.length + 1])).toContain('{"echo":{"__proto__":{"deep":1}}');
      expect(rows).toHaveLength(odd.length + 3);
    });

    it('refuses a bad request before anything is written', async () => {
      const { functionError, payload } = await client.invoke({ task: 'say-afer', items: [1] });
      expect(functionError).toBe('Unhandled');
      expect(payload).toMatchObject({
        errorType: 'UnknownTask',
        errorMessage: expect.stringContaining('did you mean "say-after"?'),
      });
    });

    it('ends a job whose input has a bad line, naming the line', async () => {
      const jobId = await client.submit({ lines: ['{"echo":1}', '', 'not JSON'] });
      const { summary } = await client.ended(jobId);
      expect(summary).toMatchObject({ end: 'refused', items: 0, problem: { code: 'InvalidInput' } });
      expect(summary.problem?.message).toContain('line 3');
    });

    it('gives one job to those who ask twice under one token', async () => {
      const request = { task: 'flaky', items: [{ echo: 1 }], clientToken: `order-${Date.now()}` };
      const [first, second] = [await client.invoke(request), await client.invoke(request)];
      expect(second.payload).toMatchObject({ jobId: (first.payload as { jobId: string }).jobId, state: 'done' });
      const other = await client.invoke({ ...request, items: [{ echo: 2 }] });
      expect(other.payload).toMatchObject({ errorType: 'JobExists' });
    });

    it('lets a second process go on watching after the first was killed', async () => {
      const lines = Array.from({ length: 20 }, (_, n) => JSON.stringify({ delayMs: 4_000, message: String(n) }));
      const jobId = await client.submit({ task: 'say-after', lines });
      const first = fanloop(['watch', jobId, ...harness().cli]);
      await once(first.child.stderr, 'data');
      first.child.kill('SIGKILL');
      await first.ended;
      const second = await fanloop(['watch', jobId, ...harness().cli]).ended;
      expect(second).toMatchObject({ code: 0 });
      expect(second.stderr).toContain('20');
      await client.ended(jobId);
    });
  });

  describe('the command line', () => {
    it('runs items, writes their rows in order, and shows what the functions logged about the job', async () => {
      const items = ['one', 'two'].map((message) => JSON.stringify({ delayMs: 1, message }));
      const { code, stdout, stderr } = await fanloop(['run', 'say-after', ...items, ...harness().cli]).ended;
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('2 succeeded') });
      expect(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).value),
      ).toEqual(['one', 'two']);
      const jobId = /^job (\w+)/m.exec(stderr)?.[1] ?? '';
      // Logs arrive a little later than results.
      const logged = await client.until(`a log of job ${jobId}`, async () => {
        const logs = await fanloop(['logs', jobId, ...harness().cli]).ended;
        return logs.stdout.includes('a chunk was stored') ? logs.stdout : undefined;
      });
      expect(logged).toContain('a job began');
    });

    it('ends with exit code 1 when an item failed', async () => {
      const item = JSON.stringify({ delayMs: 14_000, message: 'too late' });
      const limits = ['--timeout', '1s', '--attempts', '1'];
      const { code, stdout } = await fanloop(['run', 'say-after', item, ...limits, ...harness().cli]).ended;
      expect({ code, row: JSON.parse(stdout) }).toMatchObject({ code: 1, row: { error: { code: 'Timeout' } } });
    });
  });

  // By itself: what blocks a loop is charged to all who run in it.
  describe('a job that has its workers alone', () => {
    it('names in the summary a task that computes on the event loop, and none that computes on threads', async () => {
      const blocking = await client.ended(await client.submitItems([{ computeMs: 400 }]));
      expect(blocking.summary).toMatchObject({ task: 'flaky', totals: { succeeded: 1, slowCallbacks: 1 } });
      expect(blocking.summary.totals.slowestMs).toBeGreaterThanOrEqual(250);
      const lines = [JSON.stringify({ limit: 30_000_000 })];
      const threaded = await client.ended(await client.submit({ task: 'cpu', lines }));
      expect(threaded.rows).toMatchObject([{ status: 'succeeded', value: { primes: 1_857_859 } }]);
      expect(threaded.summary.totals.slowestMs).toBeLessThan(250);
    });
  });

  describe('jobs whose workers die', () => {
    it('does nothing when the message of a settled chunk comes again', async () => {
      const jobId = await client.submitItems([{ ...ask('/settled') }]);
      await client.ended(jobId);
      const place = { part: 0, chunk: 0 };
      const before = await client.store.head(resultKey(jobId, place));
      const bounds = (await readTable(client.store, jobId, 0))?.chunks[0];
      expect(bounds).toBeDefined();
      if (bounds === undefined) return;
      await client.workQueue.send([encodeMessage(workMessage(jobId, { ...place, bounds }))], { group: jobId });
      await client.until('an empty work queue', async () =>
        (await client.workQueue.depth()) === 0 ? true : undefined,
      );
      expect((await client.store.head(resultKey(jobId, place)))?.etag).toBe(before?.etag);
      expect(downstream.callsOf('/settled')).toBe(1);
    });

    it('runs a chunk again whose worker crashed', async () => {
      const jobId = await client.submitItems([{ ...ask('/once'), echo: 'survived' }]);
      const { rows } = await client.ended(jobId);
      expect(rows).toMatchObject([{ status: 'succeeded', value: { echo: 'survived' } }]);
      expect(downstream.callsOf('/once')).toBe(2);
    });

    it('fails the items of a message that kills each worker, and ends', async () => {
      const jobId = await client.submitItems([{ ...ask('/always') }, { echo: 'x'.repeat(2_000) }]);
      const { rows, summary } = await client.ended(jobId);
      expect(rows[0]).toMatchObject({ status: 'failed', error: { code: 'WorkerCrashed' } });
      expect(downstream.callsOf('/always')).toBe(2);
      expect(summary.end).toBe('done');
      expect((await lastTick(client.store, jobId))?.settledChunks).toBe(summary.chunks);
    });
  });
}

function fanloop(args: readonly string[]) {
  const script = path.resolve(import.meta.dirname, '../../bin/fanloop.js');
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}
