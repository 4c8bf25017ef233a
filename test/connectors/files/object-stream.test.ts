import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { s3Client } from '../../../src/aws/s3.ts';
import { parseObjectUrl, readObject } from '../../../src/connectors/files/object-stream.ts';
import { reply, startDownstream } from '../http/downstream.ts';

const whole = 'abcdefghij';
const etag = '"version-1"';

/** Reads `s3://bucket/key` from a server that answers as the test says. */
async function read(answer: RequestListener, signal = new AbortController().signal): Promise<string> {
  const { url } = await startDownstream(answer);
  const client = s3Client({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const chunks = await Array.fromAsync(readObject(client, { bucket: 'bucket', key: 'key' }, { signal }));
  return Buffer.concat(chunks).toString();
}

describe('a read', () => {
  test('that breaks off goes on at its byte, of the same version', async () => {
    const asked: unknown[] = [];
    const text = await read((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      asked.push([request.headers.range, request.headers['if-match']]);
      response.writeHead(from === 0 ? 200 : 206, { etag, 'content-length': String(whole.length - from) });
      if (from === 8) response.end(whole.slice(8));
      else response.write(whole.slice(from, from + 4), () => response.destroy());
    });
    expect(text).toBe(whole);
    expect(asked).toEqual([
      [undefined, undefined],
      ['bytes=4-', etag],
      ['bytes=8-', etag],
    ]);
  });

  test('that goes on in another version fails', async () => {
    const outcome = read((request, response) => {
      if (request.headers.range !== undefined) return reply(response, 412);
      response.writeHead(200, { etag, 'content-length': '10' });
      response.write('abcd', () => response.destroy());
    });
    await expect(outcome).rejects.toMatchObject({ code: 'ObjectChanged', retryable: false });
  });

  test('that breaks off again and again without a byte fails', async () => {
    let requests = 0;
    const outcome = read((_, response) => {
      requests += 1;
      response.writeHead(200, { etag, 'content-length': '10' });
      response.flushHeaders();
      response.socket?.end();
    });
    await expect(outcome).rejects.toMatchObject({ code: 'ConnectionFailed', retryable: true });
    expect(requests).toBe(3);
  });

  test('that is aborted rejects with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('time is up');
    const outcome = read((_, response) => {
      response.writeHead(200, { etag, 'content-length': '10' });
      response.write('abcd', () => controller.abort(reason));
    }, controller.signal);
    await expect(outcome).rejects.toBe(reason);
  });
});

test.each([
  ['s3://my-bucket/a/b c?d#e', { bucket: 'my-bucket', key: 'a/b c?d#e' }],
  ['s3://my-bucket/', undefined],
  ['s3://my-bucket', undefined],
  ['s3://My_Bucket/a', undefined],
  ['/s3://my-bucket/a', undefined],
])('the address %s is understood', (text, address) => {
  expect(parseObjectUrl(text)).toEqual(address);
});
