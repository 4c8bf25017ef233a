import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { prices } from '../../src/folder/prices.ts';
import { limits as bounds } from '../../src/limits.ts';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';
import { brokenBy, type Limits, perSecond, usedPart, waits, workers } from './limit-runs.ts';

describe('limits of a job that nothing befalls', () => {
  it.each<[Limits, { ms: number; count: number; timeoutMs?: number }, number]>([
    [{ maxConcurrency: 1 }, { ms: 200, count: 600 }, 0.97],
    [{ maxConcurrency: 20 }, { ms: 2_000, count: 1_000 }, 0.97],
    [{ rate: perSecond(50) }, { ms: 300, count: 4_000 }, 0.97],
    [{ rate: perSecond(0.5) }, { ms: 100, count: 40 }, 0.97],
    [{ maxConcurrency: 600 }, { ms: 2_000, count: 36_000 }, 0.95],
    // Handed over five times, each time with all calls under way.
    [{ maxConcurrency: 20 }, { ms: 20_000, count: 1_500, timeoutMs: 30_000 }, 0.97],
    [{ rate: perSecond(5) }, { ms: 20_000, count: 6_000, timeoutMs: 30_000 }, 0.97],
    // More than one worker carries: it has as many seats as it needs after some seconds.
    [{ rate: perSecond(60) }, { ms: 10_000, count: 12_000, timeoutMs: 15_000 }, 0.95],
  ])('%j is kept and used by %j, with one call an item', async (limits, job, used) => {
    const { ms, count, timeoutMs = 5_000 } = job;
    const items = Array.from({ length: count }, () => ({ ms }));
    const options = { task: waits, items, workers, options: { limits, timeoutMs }, wait: false };
    const run = await simulate(options);
    const { rate, maxConcurrency: calls } = limits;
    const of = typeof rate === 'object' ? { perSecond: (1_000 * rate.limit) / rate.perMs } : { calls: calls ?? 0 };
    expect(run.rows.length).toBe(count);
    expect(run.history.calls.length).toBe(count);
    expect(brokenBy(run, options)).toEqual([]);
    expect(usedPart(run, of)).toBeGreaterThan(used);
  });
});

describe('a limited job of ten minutes', () => {
  it('pays at most 5 % of its compute for being limited', async () => {
    const items = Array.from({ length: 12_000 }, () => ({ ms: 300 }));
    const options = { limits: { rate: perSecond(20) }, timeoutMs: 5_000 };
    const { summary, tookMs } = await simulate({ task: waits, items, workers, options, wait: false });
    const { s3Writes, s3Reads, sqsRequests, billedMs } = summary.totals;
    // Whatever the limits are, rows of a chunk are stored, its bytes read, a result and the control looked for, and rows of 20 s stored early.
    const writes = s3Writes - summary.chunks - billedMs / bounds.checkpointMs;
    const reads = s3Reads - 2 * summary.chunks - billedMs / bounds.controlMs;
    const steering = writes * prices.s3Write + reads * prices.s3Read + sqsRequests * prices.sqsRequest;
    expect(tookMs).toBeGreaterThan(600_000);
    expect(steering).toBeLessThanOrEqual(0.05 * (billedMs / 1_000) * prices.lambdaGbSecond);
    // Turns come every 60 s once it goes on by itself.
    expect(summary.turns).toBeLessThanOrEqual(30);
  });
});

describe('a job whose starts are far apart', () => {
  it('keeps its pace to the millisecond, and no worker between two starts', async () => {
    const limits = { rate: { limit: 1, perMs: 20_000 } };
    const items = Array.from({ length: 30 }, () => ({ ms: 300 }));
    const options = { task: waits, items, workers, options: { limits, timeoutMs: 5_000 }, wait: false };
    const run = await simulate(options);
    const { calls, lives } = run.history;
    const gaps = calls.slice(1).map(({ startedAt }, n) => startedAt - (calls[n]?.startedAt ?? 0));
    expect(calls.length).toBe(30);
    expect(brokenBy(run, options)).toEqual([]);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20_000 - 20);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20_500);
    const ofWorkers = lives.filter(({ role }) => role === 'worker');
    const billedMs = ofWorkers.reduce((sum, { startedAt, endedAt = startedAt }) => sum + endedAt - startedAt, 0);
    // 600 s of a worker that would wait.
    expect(billedMs / 30).toBeLessThan(4_000);
  });
});

describe('units', () => {
  it('are kept as their task counts them before, and as its calls say after', async () => {
    const tokens = defineTask({
      description: 'Uses twice what it was thought to use',
      input: z.object({ tokens: z.number() }),
      example: { tokens: 10 },
      limits: { units: '600/min' },
      units: ({ tokens: thought }) => thought,
      run: async ({ tokens: thought }, { used }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        used({ units: 2 * thought, usd: 0.001 });
        return 1;
      },
    });
    const items = Array.from({ length: 60 }, () => ({ tokens: 10 }));
    const run = await simulate({ task: tokens, items, workers, wait: false });
    const starts = run.history.calls.map(({ startedAt }) => startedAt);
    expect(starts.length).toBe(60);
    // 20 units an item at 10 a second: an item in 2 s.
    const tookMs = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    expect(tookMs).toBeGreaterThan(0.97 * 59 * 2_000);
    expect(tookMs).toBeLessThan(1.05 * 59 * 2_000);
    expect(run.summary.totals.nanoUsd).toBe(60_000_000);
  });
});
