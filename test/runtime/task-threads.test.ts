import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { threadsBeside } from '../../src/runtime/task-threads.ts';

const thread = `
  export const runOnThread = (request) => {
    request.begun?.postMessage(null);
    Atomics.wait(new Int32Array(request.item), 0, 0);
    return { ok: true, json: '1' };
  };`;

it('tells that a thread has begun a call, while it computes', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fanloop-threads-'));
  try {
    await writeFile(path.join(folder, 'thread.mjs'), thread);
    const run = threadsBeside(pathToFileURL(path.join(folder, 'worker.mjs')).href);
    const item = new SharedArrayBuffer(4);
    const begun = Promise.withResolvers<void>();
    const request = { task: 'heavy', item, attempt: 1, idempotencyKey: 'job/0' };
    const answer = run(request, new AbortController().signal, begun.resolve);
    await begun.promise;
    Atomics.store(new Int32Array(item), 0, 1);
    Atomics.notify(new Int32Array(item), 0);
    expect(await answer).toEqual({ ok: true, json: '1' });
    expect(await run(request, new AbortController().signal)).toEqual({ ok: true, json: '1' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
