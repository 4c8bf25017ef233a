import { once } from 'node:events';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpCallOptions, httpCall } from '../../../src/connectors/http/call.ts';
import type { HttpRequest } from '../../../src/connectors/http/request.ts';
import { type HttpSocketSettings, openHttpSockets } from '../../../src/connectors/http/sockets.ts';
import { certificate } from './certificate.ts';
import { reply, startDownstream, startTcpDownstream, startTlsDownstream } from './downstream.ts';

type Options = Partial<HttpCallOptions & HttpSocketSettings>;

const never = new AbortController().signal;

/** One call over sockets of its own, that end with the test. */
function call(request: string | HttpRequest, options: Options = {}): ReturnType<typeof httpCall> {
  const { sockets = openSockets(options), signal = never, ...rest } = options;
  return httpCall(typeof request === 'string' ? { url: request, method: 'GET' } : request, {
    ...rest,
    sockets,
    signal,
  });
}

function openSockets(settings: Options = {}): ReturnType<typeof openHttpSockets> {
  const sockets = openHttpSockets({ allowPrivateNetwork: true, ...settings });
  onTestFinished(() => sockets.close());
  return sockets;
}

describe('an answer', () => {
  test('comes with status, headers, body, and where it came from', async () => {
    const downstream = await startDownstream((_, response) => {
      response.setHeader('x-many', ['a', 'b']);
      reply(response, 201, { headers: { 'content-type': 'text/plain' }, body: 'hello' });
    });
    const answer = await call(`${downstream.url}/a?b=c`);
    expect(answer).toMatchObject({ status: 201, url: `${downstream.url}/a?b=c` });
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain', 'x-many': 'a, b' });
    expect(answer.body.toString()).toBe('hello');
  });

  test('to many calls comes over kept sockets', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200, { body: 'ok' }));
    const sockets = openSockets();
    for (let index = 0; index < 20; index += 1) await call(downstream.url, { sockets });
    expect(downstream.connections()).toBe(1);
  });

  test.each([
    ['HEAD', 200],
    ['GET', 204],
  ] as const)('to %s with status %i has no body and keeps its socket', async (method, status) => {
    const downstream = await startDownstream((_, response) => {
      reply(
        response,
        status,
        status === 204 ? {} : { headers: { 'content-length': '5000000', 'content-encoding': 'gzip' } },
      );
    });
    const answer = await call({ url: downstream.url, method });
    expect(answer.status).toBe(status);
    expect(answer.body.byteLength).toBe(0);
  });

  test('with a status outside of 200 to 299 fails, and its socket is kept', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 404, { body: 'secret words' }));
    const sockets = openSockets();
    const outcome = await Promise.allSettled([call(`${downstream.url}/?token=secret`, { sockets })]);
    expect(outcome[0]).toMatchObject({ reason: { code: 'HttpStatus404', status: 404, retryable: false } });
    expect(String(outcome[0].status === 'rejected' && outcome[0].reason)).not.toContain('secret');
    await expect(call(downstream.url, { sockets })).rejects.toMatchObject({ status: 404 });
    expect(downstream.connections()).toBe(1);
  });

  test.each([408, 425, 429, 500, 501, 502, 503, 504, 505, 511, 520, 529, 530, 598, 599])(
    'with status %i may come better later',
    async (status) => {
      const downstream = await startDownstream((_, response) => reply(response, status));
      await expect(call(downstream.url)).rejects.toMatchObject({
        code: `HttpStatus${status}`,
        status,
        retryable: true,
      });
    },
  );

  test.each([400, 401, 403, 404, 409, 410, 422])('with status %i will not come better', async (status) => {
    const downstream = await startDownstream((_, response) => reply(response, status));
    await expect(call(downstream.url)).rejects.toMatchObject({ code: `HttpStatus${status}`, status, retryable: false });
  });

  test('with an expected status is no failure, a redirect included', async () => {
    const downstream = await startDownstream((request, response) =>
      reply(response, request.url === '/moved' ? 302 : 404, { headers: { location: '/' } }),
    );
    await expect(call(downstream.url, { expect: [200, 404] })).resolves.toMatchObject({ status: 404 });
    await expect(call(`${downstream.url}/moved`, { expect: [302] })).resolves.toMatchObject({ status: 302 });
  });

  test('with a success that was not expected fails', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200));
    await expect(call(downstream.url, { expect: [201, 202] })).rejects.toMatchObject({
      code: 'HttpStatus200',
      message: expect.stringMatching(/^expected status 201 or 202, got 200 from 127\.0\.0\.1:\d+$/),
    });
  });

  test('that asks for patience hands it on, in seconds and as a date', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const downstream = await startDownstream((request, response) =>
      reply(response, 503, { headers: { 'retry-after': request.url === '/date' ? date : '120' } }),
    );
    await expect(call(downstream.url)).rejects.toMatchObject({ retryAfterMs: 120_000 });
    // The date lies an hour ahead; what passed meanwhile is far less than ten minutes.
    await expect(call(`${downstream.url}/date`)).rejects.toSatisfy(
      (error: { retryAfterMs: number }) => error.retryAfterMs > 3_000_000 && error.retryAfterMs <= 3_600_000,
    );
  });
});

describe('a body', () => {
  const limit = 10_000;
  const text = 'All work and no play. '.repeat(20);
  const codings: ReadonlyArray<readonly [string, (body: Buffer) => Buffer]> = [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
  ];

  test.each(codings)('in %s is decoded', async (coding, encode) => {
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-encoding': coding }, body: encode(Buffer.from(text)) }),
    );
    expect((await call(downstream.url)).body.toString()).toBe(text);
  });

  test.each(codings)('in %s that decodes to more than the limit is cut off', async (coding, encode) => {
    const bomb = encode(Buffer.alloc(50_000_000));
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-encoding': coding }, body: bomb }),
    );
    await expect(call(downstream.url, { maxBodyBytes: limit })).rejects.toMatchObject({
      code: 'BodyTooLarge',
      retryable: false,
    });
  });

  test.each(codings)('in %s that is damaged is invalid', async (coding, encode) => {
    const whole = encode(Buffer.from(text));
    const downstream = await startDownstream((request, response) =>
      reply(response, 200, {
        headers: { 'content-encoding': coding },
        body:
          request.url === '/cut'
            ? whole.subarray(0, whole.byteLength - 4)
            : Buffer.from('not at all what it says it is'),
      }),
    );
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'InvalidBody' });
    await expect(call(`${downstream.url}/cut`)).rejects.toMatchObject({ code: 'InvalidBody' });
  });

  test('whose zstd window would need more than 8 MB of memory is invalid', async () => {
    const body = zstdCompressSync(Buffer.alloc(20_000_000, 'abcdefgh'), {
      params: { [constants.ZSTD_c_windowLog]: 27 },
    });
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-encoding': 'zstd' }, body }),
    );
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'InvalidBody' });
  });

  test.each(['compress', 'gzip, gzip, gzip, gzip', 'constructor'])('in %s is refused', async (coding) => {
    const downstream = await startDownstream((_, response) =>
      reply(response, 200, { headers: { 'content-encoding': coding }, body: 'x' }),
    );
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'InvalidBody' });
  });

  test.each(['content-length', 'chunked'])(
    'of exactly the limit passes, and one byte more does not (%s)',
    async (framing) => {
      const downstream = await startDownstream((request, response) => {
        const body = Buffer.alloc(request.url === '/more' ? limit + 1 : limit, 'x');
        reply(response, 200, {
          headers: framing === 'chunked' ? {} : { 'content-length': String(body.byteLength) },
          body,
        });
      });
      const answer = await call(downstream.url, { maxBodyBytes: limit });
      expect(answer.body.byteLength).toBe(limit);
      await expect(call(`${downstream.url}/more`, { maxBodyBytes: limit })).rejects.toMatchObject({
        code: 'BodyTooLarge',
      });
    },
  );

  test('that its length says is too large is not waited for', async () => {
    const downstream = await startTcpDownstream((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n'));
    });
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'BodyTooLarge' });
    await downstream.idle();
  });

  test('without an end is cut off at the limit', async () => {
    const downstream = await startDownstream((_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    });
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'BodyTooLarge' });
    await downstream.idle();
  });

  test('that a reset cuts off fails its attempt', async () => {
    const downstream = await startTcpDownstream((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
      });
    });
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'ConnectionFailed', retryable: true });
    expect(downstream.connections()).toBe(1);
  });

  test('of a call with one reaches the downstream as it is', async () => {
    const bodies: string[] = [];
    const downstream = await startDownstream(async (request, response) => {
      bodies.push((await request.setEncoding('utf8').toArray()).join(''));
      reply(response, 200);
    });
    await call({ url: downstream.url, method: 'POST', body: '{"a":"\u2028\ufffe"}' });
    expect(bodies).toEqual(['{"a":"\u2028\ufffe"}']);
  });
});

describe('an abort', () => {
  test('in the middle of a body closes the socket and gives its reason', async () => {
    const started = Promise.withResolvers<void>();
    const downstream = await startDownstream((_, response) => {
      response.writeHead(200);
      response.write('the first half', () => started.resolve());
    });
    const controller = new AbortController();
    const outcome = call(downstream.url, { signal: controller.signal });
    const reason = new Error('time is up');
    started.promise.then(() => controller.abort(reason));
    await expect(outcome).rejects.toBe(reason);
    await downstream.idle();
  });

  test('in the middle of a compressed body gives its reason', async () => {
    const started = Promise.withResolvers<void>();
    const downstream = await startDownstream((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(gzipSync('whole').subarray(0, 12), () => started.resolve());
    });
    const controller = new AbortController();
    const outcome = call(downstream.url, { signal: controller.signal });
    const reason = new Error('time is up');
    started.promise.then(() => controller.abort(reason));
    await expect(outcome).rejects.toBe(reason);
    await downstream.idle();
  });

  test('before the head closes the socket and gives its reason', async () => {
    const arrived = Promise.withResolvers<void>();
    const downstream = await startDownstream(() => arrived.resolve());
    const controller = new AbortController();
    const outcome = call(downstream.url, { signal: controller.signal });
    arrived.promise.then(() => controller.abort('a reason that is no error'));
    await expect(outcome).rejects.toBe('a reason that is no error');
    await downstream.idle();
  });

  test('while the connection is being made is heard at once', async () => {
    const connected = Promise.withResolvers<void>();
    const downstream = await startTcpDownstream(() => connected.resolve());
    const controller = new AbortController();
    // A server that never says its part of the TLS handshake.
    const outcome = call(downstream.url.replace('http:', 'https:'), { signal: controller.signal });
    connected.promise.then(() => controller.abort());
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('before the start makes no connection', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200));
    await expect(call(downstream.url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect(downstream.connections()).toBe(0);
  });
});

describe('a kept socket that its server closes on the next request', () => {
  /** Answers the first request of each of the first `count` connections, and resets them on their second one. */
  const startForgetful = (count: number): ReturnType<typeof startTcpDownstream> => {
    let connections = 0;
    return startTcpDownstream((socket) => {
      connections += 1;
      const forgets = connections <= count;
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (forgets && requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
  };

  test.each(['GET', 'PUT', 'DELETE'] as const)('costs %s nothing: it is sent again on a fresh one', async (method) => {
    const downstream = await startForgetful(1);
    const sockets = openSockets();
    await call(downstream.url, { sockets });
    await expect(call({ url: downstream.url, method }, { sockets })).resolves.toMatchObject({ status: 200 });
    expect(downstream.connections()).toBe(2);
  });

  test.each(['POST', 'PATCH'] as const)('fails the attempt of %s, which may have been heard', async (method) => {
    const downstream = await startForgetful(1);
    const sockets = openSockets();
    await call(downstream.url, { sockets });
    await expect(call({ url: downstream.url, method, body: 'x' }, { sockets })).rejects.toMatchObject({
      code: 'ConnectionFailed',
      retryable: true,
    });
    expect(downstream.connections()).toBe(1);
  });

  test('is replaced by a fresh one even where many are stale', async () => {
    const downstream = await startForgetful(10);
    const sockets = openSockets();
    await Promise.all(Array.from({ length: 10 }, () => call(downstream.url, { sockets })));
    await expect(call(downstream.url, { sockets })).resolves.toMatchObject({ status: 200 });
    expect(downstream.connections()).toBe(11);
  });
});

test('a fresh socket that its server resets fails the attempt without a second try', async () => {
  const downstream = await startTcpDownstream((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  await expect(call(downstream.url)).rejects.toMatchObject({
    code: 'ConnectionFailed',
    message: expect.stringContaining('ECONNRESET'),
  });
  expect(downstream.connections()).toBe(1);
});

test('an answer that is no HTTP fails the attempt', async () => {
  const downstream = await startTcpDownstream((socket) => {
    socket.once('data', () => socket.end('220 mail.example.com ESMTP\r\n'));
  });
  await expect(call(downstream.url)).rejects.toMatchObject({ code: 'ConnectionFailed' });
});

test('calls of more hosts than may stay idle keep few sockets', async () => {
  const sockets = openSockets();
  const downstreams = await Promise.all(
    Array.from({ length: 230 }, () => startDownstream((_, response) => reply(response, 200, { body: 'ok' }))),
  );
  for (const { url } of downstreams) await call(url, { sockets });
  // The last socket that was marked to close may still be closing.
  expect(sockets.open()).toBeLessThanOrEqual(202);
});

describe('a redirect', () => {
  test('is followed to the answer', async () => {
    const downstream = await startDownstream((request, response) =>
      request.url === '/end'
        ? reply(response, 200, { body: 'end' })
        : reply(response, 302, { headers: { location: '/end' } }),
    );
    const answer = await call(`${downstream.url}/start`);
    expect(answer).toMatchObject({ status: 200, url: `${downstream.url}/end` });
    expect(downstream.connections()).toBe(1);
  });

  test('in a circle ends after five', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 307, { headers: { location: '/' } }));
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'TooManyRedirects', retryable: false });
    expect(downstream.requests).toHaveLength(6);
  });

  test('to the metadata service is refused even where the private network is allowed', async () => {
    const downstream = await startDownstream((_, response) =>
      reply(response, 302, { headers: { location: 'http://169.254.169.254/latest/meta-data/' } }),
    );
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'AddressRefused', retryable: false });
  });

  test.each(['file:///etc/passwd', 'http://user:password@127.0.0.1/', 'http://['])(
    'to %s is refused',
    async (location) => {
      const downstream = await startDownstream((_, response) => reply(response, 302, { headers: { location } }));
      await expect(call(downstream.url)).rejects.toMatchObject({ code: 'InvalidUrl', retryable: false });
    },
  );

  test('without a location is the status that it is', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 302));
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'HttpStatus302', status: 302 });
  });

  test('to another origin drops what was meant for the first', async () => {
    const seen: unknown[] = [];
    const second = await startDownstream((request, response) => {
      seen.push(request.headers);
      reply(response, 200);
    });
    const first = await startDownstream((_, response) => reply(response, 302, { headers: { location: second.url } }));
    const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'x-kept': 'yes' };
    await call({ url: first.url, method: 'GET', headers });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ 'x-kept': 'yes' });
    expect(seen[0]).not.toHaveProperty('authorization');
    expect(seen[0]).not.toHaveProperty('cookie');
  });
});

describe('an address that is not public', () => {
  test.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'is not connected to when the URL says %s',
    async (host) => {
      const downstream = await startDownstream((_, response) => reply(response, 200));
      const url = downstream.url.replace('127.0.0.1', host);
      await expect(call(url, { allowPrivateNetwork: false })).rejects.toMatchObject({
        code: 'AddressRefused',
        retryable: false,
      });
      expect(downstream.connections()).toBe(0);
    },
  );

  test('is refused by default', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200));
    await expect(httpCall({ url: downstream.url, method: 'GET' }, { signal: never })).rejects.toMatchObject({
      code: 'AddressRefused',
    });
  });
});

describe('a connection that cannot be made', () => {
  test('for its name fails as DnsFailed', async () => {
    await expect(call('http://nobody.invalid/')).rejects.toMatchObject({ code: 'DnsFailed', retryable: true });
  });

  test('for its port fails as ConnectionFailed with the code of the system', async () => {
    const downstream = await startTcpDownstream((socket) => socket.destroy());
    await expect(call(downstream.url)).rejects.toMatchObject({ code: 'ConnectionFailed', retryable: true });
    // Port 1 needs a privilege to listen on that nobody here has.
    await expect(call('http://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'ConnectionFailed',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('for its certificate fails as TlsFailed', async () => {
    const downstream = await startTlsDownstream((_, response) => reply(response, 200));
    await expect(call(downstream.url)).rejects.toMatchObject({
      code: 'TlsFailed',
      retryable: false,
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
    expect(downstream.requests).toEqual([]);
  });

  test('for a server that speaks no TLS fails as TlsFailed', async () => {
    const downstream = await startDownstream((_, response) => reply(response, 200));
    await expect(call(downstream.url.replace('http:', 'https:'))).rejects.toMatchObject({ code: 'TlsFailed' });
  });
});

test('a trusted certificate is accepted', async () => {
  const downstream = await startTlsDownstream((_, response) => reply(response, 200, { body: 'safe' }));
  const answer = await call(downstream.url, { ca: certificate.cert });
  expect(answer.body.toString()).toBe('safe');
});

test.each([
  ['a line end in a value', { 'x-a': 'b\r\nx-injected: yes' }],
  ['a null byte in a value', { 'x-a': 'b\0' }],
  ['a line end in a name', { 'x-a\r\nx-injected': 'yes' }],
  ['a framing header', { 'transfer-encoding': 'chunked' }],
])('a request with %s is not sent', async (_, headers) => {
  const downstream = await startDownstream((__, response) => reply(response, 200));
  await expect(call({ url: downstream.url, method: 'GET', headers })).rejects.toMatchObject({
    code: 'InvalidRequest',
    retryable: false,
  });
  expect(downstream.requests).toEqual([]);
});

test.each(['', 'nonsense', 'ftp://example.com/', 'data:,x', 'http://user@example.com/'])(
  'the URL "%s" is refused',
  async (url) => {
    await expect(call(url)).rejects.toMatchObject({ code: 'InvalidUrl', retryable: false });
  },
);

test('more calls than sockets wait for their turn, and all are answered', async () => {
  const downstream = await startDownstream((_, response) => reply(response, 200));
  const sockets = openSockets();
  const answers = await Promise.all(Array.from({ length: 800 }, () => call(downstream.url, { sockets })));
  expect(answers).toHaveLength(800);
  expect(downstream.connections()).toBeLessThanOrEqual(500);
});

test('closed sockets fail the calls under way', async () => {
  const arrived = Promise.withResolvers<void>();
  const downstream = await startDownstream((request) => {
    void once(request.socket, 'close');
    arrived.resolve();
  });
  const sockets = openHttpSockets({ allowPrivateNetwork: true });
  const outcome = call(downstream.url, { sockets });
  arrived.promise.then(() => sockets.close());
  await expect(outcome).rejects.toMatchObject({ code: 'ConnectionFailed' });
  await downstream.idle();
});
