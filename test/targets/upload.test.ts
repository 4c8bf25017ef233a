import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { connectStack } from '../../src/targets/stack-clients.ts';

const close: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const each of close.splice(0)) await each();
});

/** A stack whose S3 answers as `answer` says, by the number of the request, and keeps what it takes. */
async function stackOn(answer: (n: number, response: ServerResponse) => boolean) {
  const stored: string[] = [];
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!answer(++asked, response)) return;
      stored.push(Buffer.concat(chunks).toString());
      response.setHeader('etag', '"1"').end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
  const outputs = Object.fromEntries(Object.values(stackOutputs).map((name) => [name, 'http://127.0.0.1/1/x']));
  const stack = connectStack(
    { endpoint, region: 'us-east-1', credentials },
    { ...outputs, [stackOutputs.bucket]: 'b' },
    { outlivesProcess: () => true },
  );
  close.push(
    () => stack.close(),
    () => void server.close().closeAllConnections(),
  );
  return { stack, stored, asked: () => asked };
}

async function* input(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"n":1}\n');
  yield Buffer.from('{"n":2}\n');
}
const { signal } = new AbortController();

/** More than the SDK itself tries. */
const refusals = 12;

it.each([
  ['refuses', (response: ServerResponse) => void response.writeHead(503).end()],
  ['resets', (response: ServerResponse) => void response.destroy()],
])('uploads an input, once and whole, to an S3 that %s for a while', async (_how, fail) => {
  const { stack, stored } = await stackOn((n, response) => {
    if (n <= refusals) fail(response);
    return n > refusals;
  });
  await stack.upload('jobs/j/input.ndjson', input(), { signal });
  expect(stored.filter((body) => body.includes('{"n":1}'))).toHaveLength(1);
  expect(stored.at(-1)).toContain('{"n":1}\n{"n":2}\n');
});

it('asks once more for nothing that was refused for good, and leaves when its caller does', async () => {
  const denied = await stackOn((_n, response) => {
    response.writeHead(403).end();
    return false;
  });
  await expect(denied.stack.upload('k', input(), { signal })).rejects.toMatchObject({ code: 'AccessDenied' });
  expect(denied.asked()).toBe(1);
  const leaving = new AbortController();
  const { stack } = await stackOn((n, response) => {
    response.writeHead(503).end();
    if (n === refusals) leaving.abort(new Error('gone'));
    return false;
  });
  await expect(stack.upload('k', input(), { signal: leaving.signal })).rejects.toThrow('gone');
});
