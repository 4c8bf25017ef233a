import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { inputKey, manifestKey, runningKey } from '../../src/format/paths.ts';
import { type FanOutRequest, parseRequest } from '../../src/format/request.ts';
import { limits } from '../../src/limits.ts';
import { startJob } from '../../src/start/start-job.ts';
import { registryOf } from '../../src/task/registry.ts';
import { defineTask } from '../../src/task/task.ts';
import { MemoryStore } from '../support/memory-store.ts';

const jobId = '0123456789abcdefghjk';
const stack = { bucket: 'jobs', workers: 5, workerMemoryMb: 1_024, bundleHash: 'h' };
const echo = defineTask({
  description: 'A test',
  input: z.object({ n: z.int() }),
  example: { n: 1 },
  timeoutMs: 7_000,
  attempts: 2,
  run: (item) => item,
});
const any = defineTask({ description: 'A test', input: z.unknown(), example: 1, run: () => 1 });
const tasks = registryOf({ echo, any });

const start = (store: MemoryStore, request: FanOutRequest) =>
  startJob({ store, input: store, tasks, now: 1_000 }, { jobId, request, stack });

const item = { n: 1 };

describe('startJob', () => {
  it('writes the input and the marker, and then the manifest, with the task’s own limits where the request names none', async () => {
    const store = new MemoryStore();
    const { manifest, isNew } = await start(store, { task: 'echo', items: [item, item], options: { attempts: 9 } });
    expect(isNew).toBe(true);
    expect(manifest).toMatchObject({
      jobId,
      task: 'echo',
      createdAt: '1970-01-01T00:00:01.000Z',
      options: { concurrency: limits.concurrency, timeoutMs: 7_000, attempts: 9 },
      input: { bucket: 'jobs', key: inputKey(jobId), bytes: 16, format: 'ndjson' },
      inline: true,
    });
    expect(store.calls.filter(({ operation }) => operation === 'put').map(({ key }) => key)).toEqual([
      inputKey(jobId),
      runningKey(jobId),
      manifestKey(jobId),
    ]);
    expect(store.json(manifestKey(jobId))).toEqual(manifest);
    expect(manifest.input.etag).toBe(store.objects.get(inputKey(jobId))?.etag);
  });

  it.each([
    ['25 items', { items: new Array(25).fill(item) }, true],
    ['26 items', { items: new Array(26).fill(item) }, false],
    ['26 items with wait', { items: new Array(26).fill(item), wait: true }, true],
    ['one item that nobody waits for', { items: [item], wait: false }, false],
  ])('decides for %s whether the fan-out runs the job', async (_, request, inline) => {
    const { manifest } = await start(new MemoryStore(), { task: 'echo', ...request });
    expect(manifest.inline).toBe(inline);
  });

  it.each<[string, FanOutRequest, string, RegExp]>([
    ['an unknown task', { task: 'ecko', items: [item] }, 'UnknownTask', /did you mean "echo"/],
    [
      'a task named like a property of every object',
      { task: 'constructor', items: [item] },
      'UnknownTask',
      /the tasks are any, echo/,
    ],
    ['no item', { task: 'echo', items: [] }, 'EmptyInput', /empty list/],
    ['an item that the schema refuses', { task: 'echo', items: [item, { n: 'x' }] }, 'InvalidItem', /^items\[1\]: n: /],
    ['an item over 1 MiB', { task: 'any', items: ['é'.repeat(524_288)] }, 'ItemTooLarge', /^items\[0\]: .*1048578/],
    [
      'more items than wait takes',
      { task: 'any', items: new Array(1_001).fill(1), wait: true },
      'InvalidRequest',
      /at most 1000/,
    ],
    ['an input that is not there', { task: 'any', input: 's3://b/none' }, 'InvalidInput', /s3:\/\/b\/none, got none/],
    ['an empty input', { task: 'any', input: 's3://b/empty' }, 'EmptyInput', /empty object/],
  ])('refuses %s before anything is written', async (_, request, code, message) => {
    const store = new MemoryStore();
    await store.put('empty', '');
    await expect(start(store, request)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(store.keys()).toEqual(['empty']);
  });

  it.each([
    ['in.ndjson', undefined, 'ndjson'],
    ['in.txt', undefined, 'lines'],
    ['in.txt', 'ndjson', 'ndjson'],
    ['in', 'lines', 'lines'],
  ] as const)('takes the caller’s own object %s asked for as %s as %s', async (key, format, expected) => {
    const store = new MemoryStore();
    const etag = await store.put(key, '1\n');
    const request = { task: 'any', input: `s3://b/${key}`, ...(format === undefined ? {} : { format }) };
    const { manifest } = await start(store, request);
    expect(manifest.input).toEqual({ bucket: 'b', key, bytes: 2, etag, format: expected });
    expect(manifest.inline).toBe(false);
    expect(store.objects.has(inputKey(jobId))).toBe(false);
  });

  it('gives the same job to the same request, whatever its wish to wait', async () => {
    const store = new MemoryStore();
    const first = await start(store, { task: 'echo', items: [item] });
    const again = await start(store, { task: 'echo', items: [item], clientToken: 't', wait: false });
    expect(again).toEqual({ manifest: first.manifest, isNew: false });
  });

  it('refuses another request under the same id as JobExists', async () => {
    const store = new MemoryStore();
    await start(store, { task: 'echo', items: [item] });
    await expect(start(store, { task: 'echo', items: [{ n: 2 }] })).rejects.toMatchObject({ code: 'JobExists' });
  });

  it('lets one of two different requests win, and leaves the winner’s input as it was', async () => {
    const store = new MemoryStore();
    // Both look for a manifest before either has written anything.
    let waiting: Array<() => void> = [];
    store.after = ({ operation, key }) => {
      if (operation !== 'get' || key !== manifestKey(jobId) || waiting.length > 1) return;
      return new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 2) for (const go of waiting) go();
      });
    };
    const answers = await Promise.allSettled([1, 2].map((n) => start(store, { task: 'echo', items: [{ n }] })));
    waiting = [];
    const winners = answers.filter((answer) => answer.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(answers.find((answer) => answer.status === 'rejected')).toMatchObject({ reason: { code: 'JobExists' } });
    expect(winners[0]?.value.manifest.input.etag).toBe(store.objects.get(inputKey(jobId))?.etag);
  });

  it('gives one job to many who ask for it at once', async () => {
    const store = new MemoryStore();
    const answers = await Promise.all(Array.from({ length: 10 }, () => start(store, { task: 'echo', items: [item] })));
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(answers.map(({ manifest }) => JSON.stringify(manifest))).size).toBe(1);
  });

  it('goes on where an earlier try died between input and manifest', async () => {
    const store = new MemoryStore();
    store.before = ({ key, operation }) => {
      if (operation === 'put' && key === manifestKey(jobId)) throw new Error('killed');
    };
    await expect(start(store, { task: 'echo', items: [item] })).rejects.toThrow('killed');
    store.before = undefined;
    const { manifest, isNew } = await start(store, { task: 'echo', items: [item] });
    expect(isNew).toBe(true);
    expect(manifest.input.etag).toBe(store.objects.get(inputKey(jobId))?.etag);
  });

  it('keeps odd characters and __proto__ keys of items', async () => {
    const store = new MemoryStore();
    const items = ['\u{2028}\u{fffe}', '\ud800', JSON.parse('{"__proto__":{"a":1}}')];
    await start(store, { task: 'any', items });
    const lines = (store.text(inputKey(jobId)) ?? '').trimEnd().split('\n');
    expect(lines.map((line) => JSON.stringify(JSON.parse(line)))).toEqual(items.map((one) => JSON.stringify(one)));
  });
});

describe('parseRequest', () => {
  it.each([
    [{ task: 't', items: [1] }],
    [
      {
        task: 't',
        input: 's3://bucket/a/key',
        format: 'lines',
        options: { concurrency: 500, perWorker: 500 },
        clientToken: 'x',
      },
    ],
  ])('takes %j', (request) => {
    expect(parseRequest(request)).toEqual(request);
  });

  it.each([
    ['nothing', undefined, /^the request: /],
    ['a text', 'http', /^the request: /],
    ['neither items nor input', { task: 't' }, /either items or input/],
    ['both', { task: 't', items: [], input: 's3://b/k' }, /either items or input/],
    ['an input that is no S3 address', { task: 't', input: 'http://x' }, /^input: expected s3:\/\/bucket\/key/],
    ['an unknown option', { task: 't', items: [], options: { retries: 3 } }, /^options: .*retries/],
    ['an unknown field', { task: 't', items: [], conurrency: 3 }, /conurrency/],
    [
      'a concurrency over 100,000',
      { task: 't', items: [], options: { concurrency: 100_001 } },
      /^options\.concurrency: .*100000/,
    ],
    ['over 500 calls a worker', { task: 't', items: [], options: { perWorker: 501 } }, /^options\.perWorker: .*500/],
    [
      'a rate that is none',
      { task: 't', items: [], options: { limits: { rate: 'fast' } } },
      /^options\.limits\.rate: .*50\/s/,
    ],
    ['no attempt', { task: 't', items: [], options: { attempts: 0 } }, /^options\.attempts: /],
    ['a timeout over 4 minutes', { task: 't', items: [], options: { timeoutMs: 240_001 } }, /^options\.timeoutMs: /],
  ])('refuses %s in one sentence that names the place', (_, event, message) => {
    expect(() => parseRequest(event)).toThrow(
      expect.objectContaining({ code: 'InvalidRequest', message: expect.stringMatching(message) }),
    );
  });
});
