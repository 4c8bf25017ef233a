import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { task } from '../../../lambdas/tasks/http.ts';
import { useConnectors } from '../../../src/connectors/settings.ts';
import { parseJson, toJson } from '../../../src/format/json.ts';
import { limits } from '../../../src/limits.ts';
import { parseItem } from '../../../src/task/task.ts';
import { type Downstream, reply, startDownstream } from '../../connectors/http/downstream.ts';
import { startObjectCloud } from './object-cloud.ts';

const context = {
  signal: new AbortController().signal,
  attempt: 1,
  idempotencyKey: 'job/7',
  log: () => {},
  used: () => {},
};

beforeEach(() => useConnectors({ allowPrivateNetwork: true }));
afterEach(() => useConnectors({}));

/** Parses and runs an item as the worker does. */
async function run(item: unknown, signal = context.signal): Promise<unknown> {
  const parsed = await parseItem(task, item);
  if (!parsed.ok) throw new Error(parsed.problem);
  return task.run(parsed.value, { ...context, signal });
}

interface Seen {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A downstream that answers `{"ok":true}` and keeps what it was sent. */
async function startMirror(): Promise<Downstream & { readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const downstream = await startDownstream(async (request, response) => {
    const body = (await request.setEncoding('utf8').toArray()).join('');
    seen.push({ method: request.method, headers: request.headers, body });
    reply(response, 200, { headers: { 'content-type': 'application/json', 'x-secret': 'no' }, body: '{"ok":true}' });
  });
  return { ...downstream, seen };
}

describe('an item', () => {
  test('that is a URL is fetched, and its value is status, some headers, and body', async () => {
    const mirror = await startMirror();
    expect(await run(mirror.url)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { ok: true },
    });
    expect(mirror.seen[0]).toMatchObject({ method: 'GET', body: '' });
    expect(mirror.seen[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  test('with a JSON body sends it as JSON, with its idempotency key', async () => {
    const mirror = await startMirror();
    await run({ url: mirror.url, method: 'post', body: { a: ['\u2028', null] } });
    expect(mirror.seen[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'job/7' },
      body: '{"a":["\u2028",null]}',
    });
  });

  test.each([false, 0, null])('with the body %s sends it as JSON', async (body) => {
    const mirror = await startMirror();
    await run({ url: mirror.url, method: 'PUT', body });
    expect(mirror.seen[0]?.body).toBe(JSON.stringify(body));
    expect(mirror.seen[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  test('with a text body sends it as it is', async () => {
    const mirror = await startMirror();
    await run({ url: mirror.url, method: 'PATCH', body: 'a=b' });
    expect(mirror.seen[0]).toMatchObject({ headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'a=b' });
  });

  test('with headers of its own has them kept', async () => {
    const mirror = await startMirror();
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Idempotency-Key': 'mine',
      'User-Agent': 'me',
      'X-É': 'x',
    };
    await expect(run({ url: mirror.url, method: 'POST', headers, body: 'a=b' })).rejects.toThrow(
      'headers.X-É: expected a header name',
    );
    const { 'X-É': _, ...legal } = headers;
    await run({ url: mirror.url, method: 'POST', headers: legal, body: 'a=b' });
    expect(mirror.seen[0]?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': 'mine',
      'user-agent': 'me',
    });
  });

  test('that expects its status gets it', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 404));
    expect(await run({ url: downstream.url, expect: 404 })).toEqual({ status: 404, headers: {}, body: null });
    expect(await run({ url: downstream.url, expect: [200, 404] })).toMatchObject({ status: 404 });
    await expect(run({ url: downstream.url, expect: [200] })).rejects.toMatchObject({
      code: 'HttpStatus404',
      status: 404,
    });
  });

  test('that wants JSON fails where none comes', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200, { body: '<html>' }));
    await expect(run({ url: downstream.url, as: 'json' })).rejects.toMatchObject({ code: 'InvalidBody' });
  });

  test('with a body over 1 MiB fails', async () => {
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { body: 'x'.repeat(limits.maxValueBytes + 1) }),
    );
    await expect(run(downstream.url)).rejects.toMatchObject({ code: 'BodyTooLarge' });
  });

  test('whose attempt is over rejects with the reason', async () => {
    const arrived = Promise.withResolvers<void>();
    const downstream = await startDownstream(() => arrived.resolve());
    const controller = new AbortController();
    const outcome = run(downstream.url, controller.signal);
    const reason = new Error('time is up');
    arrived.promise.then(() => controller.abort(reason));
    await expect(outcome).rejects.toBe(reason);
    await downstream.idle();
  });

  test('on loopback is refused where the stack does not allow the private network', async () => {
    const mirror = await startMirror();
    for (const settings of [{ allowPrivateNetwork: false }, {}]) {
      useConnectors(settings);
      await expect(run(mirror.url)).rejects.toMatchObject({ code: 'AddressRefused' });
    }
    expect(mirror.connections()).toBe(0);
  });
});

describe('an item whose body becomes an object', () => {
  test('has it streamed into the folder of its job, decoded, whatever its size', async () => {
    const cloud = await startObjectCloud('bodies');
    useConnectors({ allowPrivateNetwork: true, bucket: 'bodies' });
    const body = randomBytes(12_000_000);
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-encoding': 'gzip' }, body: gzipSync(body) }),
    );
    const value = await run({ url: downstream.url, as: 'object' });
    expect(value).toMatchObject({
      status: 200,
      body: { bucket: 'bodies', key: 'jobs/job/bodies/7', bytes: body.byteLength },
    });
    expect((await cloud.get('jobs/job/bodies/7'))?.equals(body)).toBe(true);

    const broken = await startDownstream((_, response) => {
      response.writeHead(200, { 'content-length': '20000000' });
      response.write(body, () => response.destroy());
    });
    await expect(run({ url: broken.url, as: 'object', to: 's3://bodies/other' })).rejects.toMatchObject({
      code: 'ConnectionFailed',
      retryable: true,
    });
    expect(await cloud.get('other')).toBeUndefined();
    expect(await cloud.unfinished()).toEqual([]);
  });
});

describe('a body to send', () => {
  const post = async (headers: Record<string, string>, body: unknown): Promise<Seen> => {
    const mirror = await startMirror();
    await run({ url: mirror.url, method: 'POST', headers, body });
    const [seen] = mirror.seen;
    if (seen === undefined) throw new Error('expected a call, got none');
    return seen;
  };

  test('that is an object for a form is encoded as one', async () => {
    const type = 'application/x-www-form-urlencoded; charset=utf-8';
    const seen = await post({ 'Content-Type': type }, { name: 'Ada & Co', tag: ['a', 'b'], n: 7, none: null });
    expect(seen).toMatchObject({ headers: { 'content-type': type }, body: 'name=Ada+%26+Co&tag=a&tag=b&n=7&none=' });
  });

  test('that is base64 is bytes, with their type', async () => {
    expect(await post({}, { base64: 'aGVsbG8=' })).toMatchObject({
      headers: { 'content-type': 'application/octet-stream' },
      body: 'hello',
    });
    expect(await post({ 'content-type': 'image/png' }, { base64: 'aGVsbG8=' })).toMatchObject({
      headers: { 'content-type': 'image/png' },
      body: 'hello',
    });
  });

  test('that only looks like bytes is JSON where the item says so', async () => {
    const body = { base64: 'aGVsbG8=' };
    expect((await post({ 'content-type': 'application/json' }, body)).body).toBe(JSON.stringify(body));
    expect((await post({}, { from: 'USD' })).body).toBe('{"from":"USD"}');
  });

  test('from an object is its bytes, also as a part of a form', async () => {
    const cloud = await startObjectCloud('uploads');
    useConnectors({ allowPrivateNetwork: true, bucket: 'uploads' });
    await cloud.put('a/photo.png', Buffer.from('pixels'));
    const from = 's3://uploads/a/photo.png';
    expect((await post({ 'content-type': 'image/png' }, { from })).body).toBe('pixels');
    const form = await post(
      { 'content-type': 'multipart/form-data' },
      { title: 'Me', photo: { from, type: 'image/png' } },
    );
    const [, boundary] = /^multipart\/form-data; boundary=(\S+)$/.exec(form.headers['content-type'] ?? '') ?? [];
    expect(form.body).toBe(
      [
        `--${boundary}`,
        'content-disposition: form-data; name="title"',
        '',
        'Me',
        `--${boundary}`,
        'content-disposition: form-data; name="photo"; filename="photo.png"',
        'content-type: image/png',
        '',
        'pixels',
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    );
  });

  test('keeps the digits of long numbers', async () => {
    const mirror = await startMirror();
    await run(parseJson(`{"url": "${mirror.url}", "method": "POST", "body": {"id": 12345678901234567890}}`));
    expect(mirror.seen[0]?.body).toBe('{"id":12345678901234567890}');
  });
});

describe('a row', () => {
  test('keeps the digits of long numbers in an answer', async () => {
    const body = '{"id":12345678901234567890,"price":0.12345678901234567890}';
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-type': 'application/json' }, body }),
    );
    expect(toJson(await run(downstream.url))).toContain(body);
  });

  test('has the final URL where the answer moved', async () => {
    const downstream = await startDownstream((request, response) =>
      request.url === '/old'
        ? reply(response, 301, { headers: { location: '/new?a=1' } })
        : reply(response, 200, { body: 'ok' }),
    );
    expect(await run(`${downstream.url}/old`)).toMatchObject({ url: `${downstream.url}/new?a=1`, body: 'ok' });
    expect(await run(`${downstream.url.toUpperCase().replace('HTTP', 'http')}/new#top`)).not.toHaveProperty('url');
  });

  test('has the headers that the item asks for, and the length on HEAD', async () => {
    const headers = { 'X-Total': '7', 'X-Other': 'no', etag: '"a"', 'content-length': '2' };
    const downstream = await startDownstream((_, response) => reply(response, 200, { headers, body: 'ok' }));
    const { url } = downstream;
    expect(await run({ url, keepHeaders: ['x-TOTAL'] })).toMatchObject({ headers: { 'x-total': '7', etag: '"a"' } });
    expect(await run({ url, keepHeaders: '*' })).toMatchObject({
      headers: { 'x-total': '7', 'x-other': 'no', date: expect.any(String) },
    });
    expect(await run({ url, method: 'HEAD' })).toEqual({
      status: 200,
      headers: { etag: '"a"', 'content-length': '2' },
      body: null,
    });
  });
});

describe('cookies', () => {
  const first = 'a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT';
  test.each<[readonly string[], unknown]>([
    [[first, 'b=2'], '*'],
    [[first, 'b=2'], ['Set-Cookie']],
    [[first], ['set-cookie']],
  ])('of an answer are a list in its row: %j by %j', async (cookies, keepHeaders) => {
    const downstream = await startDownstream((_, response) => {
      response.setHeader('Set-Cookie', cookies);
      reply(response, 200, { body: 'ok' });
    });
    expect(await run({ url: downstream.url, keepHeaders })).toMatchObject({ headers: { 'set-cookie': cookies } });
  });

  test('are not there where none came', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200, { body: 'ok' }));
    const row = await run({ url: downstream.url, keepHeaders: ['set-cookie', 'date'] });
    expect(row).toMatchObject({ headers: { date: expect.any(String) } });
    expect(row).not.toHaveProperty(['headers', 'set-cookie']);
  });
});

const url = 'https://example.com/';

test.each<[unknown, string]>([
  [7, 'expected a URL or an object {url, method, headers, body, expect, keepHeaders, as, to}'],
  [null, 'expected a URL or an object {url, method, headers, body, expect, keepHeaders, as, to}'],
  ['nope', 'url: expected a URL, got "nope"'],
  ['ftp://example.com', 'url: expected an http:// or https:// URL, got ftp:'],
  [
    'http://a:b@example.com/',
    'url: expected no user name or password within the URL; send an authorization header instead',
  ],
  [{}, 'url: expected a URL'],
  [{ url, method: 'TRACE' }, 'method: expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ url, method: 1 }, 'method: expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ url, body: 'x' }, 'body: expected none, since GET and HEAD carry no body'],
  [
    { url, method: 'POST', headers: { 'content-type': 'text/csv' }, body: { a: 1 } },
    'body: expected a text, {"base64": "…"}, or {"from": "s3://…"} for the content type text/csv; an object is sent as JSON or as a form',
  ],
  [
    { url, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: { a: { b: 1 } } },
    'body: a: expected a text, a number, or a list of them, since a form has no objects',
  ],
  [{ url, method: 'POST', body: { base64: 'not base64!' } }, 'body: base64: expected base64, got "not base64!"'],
  [{ url, keepHeaders: 'x' }, 'keepHeaders: expected a list of header names, or "*" for all'],
  [{ url, headers: { 'a b': 'c' } }, 'headers.a b: expected a header name'],
  [{ url, headers: { a: 1 } }, 'headers.a: expected a text'],
  [{ url, headers: { a: 'b\r\nc: d' } }, 'headers.a: expected printable characters of Latin-1 on one line'],
  [{ url, headers: { a: 'b\u0000' } }, 'headers.a: expected printable characters of Latin-1 on one line'],
  [{ url, headers: { Connection: 'close' } }, 'headers.Connection: expected no header that the connection itself sets'],
  [{ url, expect: [] }, 'expect: expected a status'],
  [{ url, expect: 'ok' }, 'expect.0: expected a status from 200 to 599'],
  [{ url, expect: [200, 600] }, 'expect.1: expected a status up to 599'],
  [{ url, as: 'xml' }, 'as: expected one of auto, json, text, base64, object'],
  [{ url, to: 's3://a/b' }, 'to: expected none unless as is "object"'],
  [{ url, as: 'object', to: '/tmp/x' }, 'to: expected s3://bucket/key'],
  [{ url, retries: 3 }, 'Unrecognized key: "retries"'],
])('refuses %j', async (item, problem) => {
  expect(await parseItem(task, item)).toEqual({ ok: false, problem });
});

test('accepts its own example', async () => {
  expect(await parseItem(task, task.example)).toMatchObject({ ok: true });
});

test.each([
  'http://127.0.0.1/a?b=c',
  'https://a.example',
  'HTTP://A.example/ä',
  'ftp://a.example/',
  'http://u:p@a.example/',
  'nothing',
  '',
])('an item that is the text %j is what one with that URL is', async (url) => {
  const { problem, ...alone } = { problem: '', ...(await parseItem(task, url)) };
  const { problem: same, ...whole } = { problem: '', ...(await parseItem(task, { url })) };
  expect([alone, problem]).toEqual([whole, same]);
});
