import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { estimateCost } from '../../src/folder/cost.ts';
import { forecast } from '../../src/folder/forecast.ts';
import { emptyDigest } from '../../src/format/digest.ts';
import type { Summary } from '../../src/format/summary.ts';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';

/** Answers after 100 to 300 ms; every twentieth item is refused the first time. */
const call = defineTask({
  description: 'A call',
  input: z.number(),
  example: 1,
  run: (n, { attempt }) =>
    new Promise<number>((resolve, reject) =>
      setTimeout(
        () =>
          n % 20 === 0 && attempt === 1
            ? reject(new TaskError('no', { code: 'Refused', retryable: true }))
            : resolve(n),
        100 + (n % 201),
      ),
    ),
});

const run = async (items: readonly number[]) =>
  (await simulate({ task: call, items, options: { perWorker: 100 }, workers: 5, wait: false })).summary;

describe('forecast', () => {
  it('tells from a hundred items what thirty thousand come to', async () => {
    const items = Array.from({ length: 30_000 }, (_, n) => n);
    const bytes = items.reduce((sum, n) => sum + String(n).length + 1, 0);
    const small = await run(items.filter((n) => n % 301 === 0));
    const told = forecast(small, { items: items.length, bytes, workers: 5, concurrency: 100 });
    const large = await run(items);
    const ratio = (a: number, b: number): number => a / b;
    expect(told.chunks).toBe(large.chunks);
    expect(ratio(told.wallMs, large.wallMs)).toBeGreaterThan(0.85);
    expect(ratio(told.wallMs, large.wallMs)).toBeLessThan(1.2);
    expect(ratio(told.cost.total, estimateCost(large).total)).toBeGreaterThan(0.85);
    expect(ratio(told.cost.total, estimateCost(large).total)).toBeLessThan(1.2);
  });

  const sample: Summary = {
    v: 1,
    task: 'http',
    jobId: '0000000000aaaaaaaaaa',
    end: 'done',
    items: 100,
    chunks: 10,
    totals: { ...emptyDigest, succeeded: 100, attempts: 100, tried: 100, callMs: 20_000 },
    messages: 10,
    turns: 3,
    createdAt: '2026-11-23T10:00:00.000Z',
    endedAt: '2026-11-23T10:00:01.000Z',
    wallMs: 1_000,
    workerMemoryMb: 1_024,
  };
  const wanted = { items: 1_000_000, bytes: 50_000_000, workers: 5, concurrency: 200 };
  const codes = (totals: Partial<typeof emptyDigest>, more: Partial<typeof wanted> = {}) =>
    forecast({ ...sample, totals: { ...sample.totals, ...totals } }, { ...wanted, ...more }).limits.map(
      ({ code }) => code,
    );

  it('names no limit where none is met', () => {
    expect(codes({})).toEqual([]);
  });

  it.each([
    ['a downstream that refuses', { succeeded: 97, failed: 3, codes: { HttpStatus429: 3 } }, {}, 'Downstream'],
    ['items that take several attempts', { attempts: 130 }, {}, 'Downstream'],
    ['calls without an answer', { succeeded: 99, failed: 1, codes: { Timeout: 1 } }, {}, 'Timeouts'],
    ['a task that computes on the event loop', { slowCallbacks: 1, slowestMs: 800 }, {}, 'Blocked'],
    ['calls shorter than a worker can keep up with', { callMs: 500 }, {}, 'Processor'],
    ['more workers than a new account has executions', {}, { workers: 20 }, 'NewAccount'],
    ['fewer items than slots', {}, { items: 100, bytes: 5_000 }, 'SlowStart'],
    ['a job that outlives its messages', { callMs: 1_000_000 }, { items: 400_000_000, bytes: 2e10 }, 'Retention'],
  ] as const)('names %s', (_, totals, more, code) => {
    expect(codes(totals, more)).toEqual([code]);
  });

  it('takes as long as the limits of the job as a whole make it', () => {
    const free = forecast(sample, wanted);
    const few = forecast(sample, { ...wanted, limits: { maxConcurrency: 100 } });
    const slow = forecast(sample, { ...wanted, limits: { rate: { limit: 50, perMs: 1_000 } } });
    expect(few.wallMs / free.wallMs).toBeCloseTo(10, 0);
    expect(slow.wallMs / 1_000).toBeCloseTo(wanted.items / 50, -2);
    expect([few.callsPerSecond, slow.callsPerSecond].map(Math.round)).toEqual([500, 50]);
    expect(slow.limits).toEqual([]);
  });

  it('grows with the items in proportion, from a thousand to ten million', () => {
    const perItem = [1e4, 1e5, 1e6, 1e7].map(
      (items) => forecast(sample, { ...wanted, items, bytes: 50 * items }).cost.total / items,
    );
    for (const usd of perItem.slice(1)) expect(usd / (perItem.at(-1) ?? 1)).toBeLessThan(1.3);
    expect(perItem.at(-1)).toBeLessThan(0.024 / 1e6);
  });
});
