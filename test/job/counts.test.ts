import { getEventListeners } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/runtime/system.ts';
import { defineTask } from '../../src/task/task.ts';
import { type Simulated, simulate } from '../../src/testing/simulate.ts';
import { runAttempt } from '../../src/worker/attempt.ts';

const count = 10_000;
let parses = 0;
const task = defineTask({
  description: 'Counts how often an item of it is parsed',
  input: z.preprocess((item) => {
    parses++;
    return item;
  }, z.number()),
  example: 1,
  run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), 50)),
});

const run = (items: number): Promise<Simulated> =>
  simulate({
    task,
    items: Array.from({ length: items }, (_, n) => n),
    options: { perWorker: 200 },
    workers: 2,
    wait: false,
  });

describe('each further ten thousand items of a job', () => {
  let small: Simulated;
  let large: Simulated;
  beforeAll(async () => {
    small = await run(count);
    parses = 0;
    large = await run(2 * count);
  }, 60_000);

  it('are parsed three times each: with the request that brings them, when they are cut, and where they run', () => {
    expect(large.summary.totals.succeeded).toBe(2 * count);
    expect(parses).toBe(3 * 2 * count);
  });

  it('cost the workers a PUT, three reads, and three requests to SQS a chunk, and two looks a second each', () => {
    const more = (of: (run: Simulated) => number): number => of(large) - of(small);
    const chunks = more(({ summary }) => summary.chunks);
    const seconds = more(({ summary }) => summary.wallMs) / 1_000;
    expect(chunks).toBeGreaterThanOrEqual(10);
    expect(more(({ summary }) => summary.totals.s3Writes)).toBeLessThanOrEqual(chunks + 2 * seconds);
    expect(more(({ summary }) => summary.totals.s3Reads)).toBeLessThanOrEqual(3 * chunks + 4 * seconds);
    expect(more(({ summary }) => summary.totals.sqsRequests)).toBeLessThanOrEqual(3 * chunks + 2 * seconds);
  });
});

it('puts one listener on the signal of a chunk, however many of its items run', async () => {
  const stop = new AbortController();
  const waits = defineTask({
    description: 'Waits for its signal',
    input: z.number(),
    example: 1,
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const context = { attempt: 1, idempotencyKey: 'job/0', secrets: {}, log: () => undefined, used: () => undefined };
  const given = { task: waits, context, timeoutMs: 60_000, cancelled: stop.signal, clock: systemClock };
  const attempts = Array.from({ length: 1_000 }, (_, item) => runAttempt({ ...given, item }));
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  stop.abort();
  expect(new Set((await Promise.all(attempts)).map(({ kind }) => kind))).toEqual(new Set(['cancelled']));
});
