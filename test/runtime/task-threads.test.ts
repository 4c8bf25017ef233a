import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { threadsBeside } from '../../src/runtime/task-threads.ts';
import type { RunOnThread } from '../../src/worker/isolate/thread-task.ts';

const thread = `
  export const runOnThread = (request) => {
    request.begun?.postMessage(null);
    if (request.item !== null) Atomics.wait(new Int32Array(request.item), 0, 0);
    return { ok: true, json: '1' };
  };`;

let folder: string;
let run: RunOnThread;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fanloop-threads-'));
  await writeFile(path.join(folder, 'thread.mjs'), thread);
  run = threadsBeside(pathToFileURL(path.join(folder, 'worker.mjs')).href);
});
afterAll(() => rm(folder, { recursive: true }));

const request = { task: 'heavy', attempt: 1, idempotencyKey: 'job/0' };
const { signal } = new AbortController();
const answer = { ok: true, json: '1' };

it('tells that a thread has begun a call, while it computes', async () => {
  const item = new SharedArrayBuffer(4);
  const begun = Promise.withResolvers<void>();
  const running = run({ ...request, item }, signal, begun.resolve);
  await begun.promise;
  Atomics.store(new Int32Array(item), 0, 1);
  Atomics.notify(new Int32Array(item), 0);
  expect(await running).toEqual(answer);
  expect(await run({ ...request, item }, signal)).toEqual(answer);
});

it('tells it once, and before the answer, also of a call that answers at once and while this loop is busy', async () => {
  for (let n = 0; n < 40; n++) {
    let told = 0;
    const running = run({ ...request, item: null }, signal, () => {
      told++;
    });
    const until = performance.now() + (n % 2) * 5;
    while (performance.now() < until);
    expect(await running).toEqual(answer);
    expect(told).toBe(1);
  }
});
