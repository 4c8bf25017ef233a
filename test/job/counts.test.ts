import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { task as http } from '../../lambdas/tasks/http.ts';
import { useConnectors } from '../../src/connectors/settings.ts';
import { systemClock, systemRandom } from '../../src/runtime/system.ts';
import { defineTask, parseItem } from '../../src/task/task.ts';
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
  });

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

it('writes the value of an item once, and parses it only where its row is read', async () => {
  let written = 0;
  const counts = defineTask({
    description: 'Counts how often its value is written',
    input: z.number(),
    example: 1,
    run: (n) => ({
      marker: {
        toJSON: () => {
          written++;
          return n;
        },
      },
    }),
  });
  const parse = vi.spyOn(JSON, 'parse');
  const { summary } = await simulate({ task: counts, items: Array.from({ length: 100 }, (_, n) => n), wait: false });
  const parsed = parse.mock.calls.filter(([text]) => text.startsWith('{"marker"'));
  parse.mockRestore();
  expect(summary.totals.succeeded).toBe(100);
  expect(written).toBe(100);
  expect(parsed).toEqual([]);
});

it('puts no listener on the signal of an attempt for a call of the task http', async () => {
  const add = vi.spyOn(EventTarget.prototype, 'addEventListener');
  const stop = new AbortController();
  const server = createServer((_request, response) => void response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  useConnectors({ clock: systemClock, random: systemRandom, allowPrivateNetwork: true });
  const context = { attempt: 1, idempotencyKey: 'job/0', secrets: {}, log: () => undefined, used: () => undefined };
  const item = await parseItem(http, `http://127.0.0.1:${port}/`);
  const given = { task: http, context, timeoutMs: 60_000, cancelled: stop.signal, clock: systemClock };
  const call = () => runAttempt({ ...given, item: item.ok ? item.value : undefined });
  // The first call opens its socket, which has listeners of its own.
  expect(await call()).toMatchObject({ kind: 'succeeded' });
  add.mockClear();
  for (let n = 0; n < 10; n++) expect(await call()).toMatchObject({ kind: 'succeeded' });
  expect(add.mock.calls.filter(([type]) => type === 'abort')).toEqual([]);
  add.mockRestore();
  server.close();
  server.closeAllConnections();
});
