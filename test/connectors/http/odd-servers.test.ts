import { once } from 'node:events';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpCallOptions, httpCall, httpStream } from '../../../src/connectors/http/call.ts';
import type { HttpMethod } from '../../../src/connectors/http/methods.ts';
import { openHttpSockets } from '../../../src/connectors/http/sockets.ts';
import { certificate } from './certificate.ts';
import { startTcpDownstream } from './downstream.ts';

const never = new AbortController().signal;

function openSockets(ca?: string): ReturnType<typeof openHttpSockets> {
  const sockets = openHttpSockets({ allowPrivateNetwork: true, ...(ca === undefined ? {} : { ca }) });
  onTestFinished(() => sockets.close());
  return sockets;
}

function call(url: string, method: HttpMethod = 'GET', options: Partial<HttpCallOptions> = {}) {
  return httpCall({ url, method }, { signal: never, sockets: openSockets(certificate.cert), ...options });
}

/** A server that answers each request with these bytes, in these writes, and keeps its socket. */
async function answering(...writes: ReadonlyArray<string | Buffer>) {
  let calls = 0;
  const downstream = await startTcpDownstream((socket) => {
    socket.setNoDelay(true);
    socket.on('data', async () => {
      calls += 1;
      for (const bytes of writes) await new Promise<unknown>((resolve) => socket.write(bytes, resolve));
    });
  });
  return { ...downstream, calls: () => calls };
}

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('an answer that can have no body', () => {
  test.each<[HttpMethod, string]>([
    ['GET', '204 No Content\r\ncontent-length: 7'],
    ['GET', '204 No Content\r\ncontent-encoding: gzip'],
    ['GET', '204 No Content\r\ntransfer-encoding: chunked'],
    ['GET', '205 Reset Content\r\ncontent-length: 7\r\ncontent-encoding: br'],
    ['GET', '205 Reset Content\r\ncontent-length: 0'],
    ['DELETE', '200 OK\r\ncontent-length: 0\r\ncontent-encoding: gzip'],
    ['HEAD', '200 OK\r\ncontent-length: 700\r\ncontent-encoding: gzip'],
    ['HEAD', '200 OK\r\ntransfer-encoding: chunked'],
  ])('to %s succeeds whatever its headers claim: %j', async (method, head) => {
    const server = await answering(`HTTP/1.1 ${head}\r\n\r\n`);
    const answer = await call(server.url, method);
    expect(answer.body.length).toBe(0);
    expect(answer.status).toBe(Number(head.slice(0, 3)));
  });

  test('of status 304 succeeds where it is expected', async () => {
    const server = await answering('HTTP/1.1 304 Not Modified\r\ncontent-length: 900\r\n\r\n');
    await expect(call(server.url, 'GET', { expect: [304] })).resolves.toMatchObject({ status: 304 });
  });

  test('is an empty stream, too', async () => {
    const server = await answering('HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n');
    const receive = async (body: AsyncIterable<Buffer>): Promise<number> => {
      let bytes = 0;
      for await (const block of body) bytes += block.length;
      return bytes;
    };
    const options = { signal: never, sockets: openSockets(), receive };
    await expect(httpStream({ url: server.url, method: 'GET' }, options)).resolves.toMatchObject({ received: 0 });
  });
});

describe('informational answers', () => {
  const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n';
  test.each<[string, readonly string[]]>([
    ['100 alone', ['HTTP/1.1 100 Continue\r\n\r\n', ok]],
    ['100 with the answer', [`HTTP/1.1 100 Continue\r\n\r\n${ok}`]],
    ['102', [`HTTP/1.1 102 Processing\r\n\r\n`, ok]],
    ['103 and 100', [`${early}HTTP/1.1 100 Continue\r\n\r\n${ok}`]],
    ['103 cut anywhere', [early.slice(0, 5), early.slice(5, 11), early.slice(11), ok.slice(0, 4), ok.slice(4)]],
  ])('are passed over: %s', async (_what, writes) => {
    const server = await answering(...writes);
    const sockets = openSockets();
    for (let n = 0; n < 3; n += 1) {
      expect((await call(server.url, 'POST', { sockets })).body.toString()).toBe('ok');
    }
    expect(server.connections()).toBe(1);
  });

  test('are left alone within a body', async () => {
    const body = `HTTP/1.1 100 Continue\r\n\r\n`;
    const server = await answering(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`, body);
    expect((await call(server.url)).body.toString()).toBe(body);
  });

  test('101 fails once, by name, also on a kept socket', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n';
    const server = await answering(upgrade);
    await expect(call(server.url)).rejects.toMatchObject({ code: 'UpgradeRefused', status: 101, retryable: false });
    expect(server.calls()).toBe(1);

    let n = 0;
    const turning = await startTcpDownstream((socket) =>
      socket.on('data', () => socket.write(n++ === 0 ? ok : upgrade)),
    );
    const sockets = openSockets();
    await call(turning.url, 'GET', { sockets });
    await expect(call(turning.url, 'GET', { sockets })).rejects.toMatchObject({ code: 'UpgradeRefused' });
    expect(n).toBe(2);
  });
});

describe('a coded body', () => {
  const coded = (coding: string, body: Buffer) =>
    answering(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\ncontent-encoding: ${coding}\r\n\r\n`),
        body,
      ]),
    );
  test.each<[string, string, Buffer]>([
    ['deflate without a header', 'deflate', deflateRawSync('hello')],
    ['two members of gzip', 'gzip', Buffer.concat([gzipSync('hel'), gzipSync('lo')])],
    ['zeros behind gzip', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.alloc(512)])],
    ['a line end behind gzip', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.from('\n')])],
    ['junk behind gzip', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.from('<!-- served by x -->')])],
    [
      'junk that begins as gzip does',
      'gzip',
      Buffer.concat([gzipSync('hello'), Buffer.from([0x1f, 0x8b, 0x6a, 1, 2, 3])]),
    ],
    ['two bytes of the beginning of gzip', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.from([0x1f, 0x8b])])],
    ['a charset in place of a coding', 'utf-8', Buffer.from('hello')],
    ['a charset of old', 'ISO-8859-1', Buffer.from('hello')],
    ['a type in place of a coding', 'application/json', Buffer.from('hello')],
    ['no coding, in words', 'none', Buffer.from('hello')],
    ['a charset beside a coding', 'gzip, utf-8', gzipSync('hello')],
    ['the header twice', 'gzip\r\ncontent-encoding: gzip', gzipSync('hello')],
    ['x-gzip', 'x-gzip', gzipSync('hello')],
  ])('is read as browsers read it: %s', async (_what, coding, body) => {
    expect((await call((await coded(coding, body)).url)).body.toString()).toBe('hello');
  });

  test('whose second member is cut or damaged fails', async () => {
    const second = gzipSync('world');
    const damaged = Buffer.from(second).fill(0xff, 10, 14);
    for (const rest of [second.subarray(0, 9), second.subarray(0, -9), damaged]) {
      const server = await coded('gzip', Buffer.concat([gzipSync('hello'), rest]));
      await expect(call(server.url)).rejects.toMatchObject({ code: 'InvalidBody' });
    }
  });

  test.each(['compress', 'aes128gcm', 'gzip, dcb'])('of the unknown coding %s fails', async (coding) => {
    const server = await coded(coding, Buffer.from('hello'));
    await expect(call(server.url)).rejects.toMatchObject({ code: 'InvalidBody', retryable: false });
  });

  test('that is cut fails', async () => {
    const server = await coded('gzip', gzipSync('hello').subarray(0, -4));
    await expect(call(server.url)).rejects.toMatchObject({ code: 'InvalidBody' });
  });
});

describe('headers', () => {
  const withHeaders = (lines: string) => answering(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${lines}\r\n\r\nok`);

  test('of 64 KiB are read, more fail by name', async () => {
    const line = `x-many: ${'v'.repeat(1_000)}\r\n`;
    const many = await withHeaders(line.repeat(64).trimEnd());
    await expect(call(many.url)).resolves.toMatchObject({ status: 200 });
    const large = await withHeaders(`x-large: ${'v'.repeat(65_000)}`);
    await expect(call(large.url)).resolves.toMatchObject({ status: 200 });
    const over = await withHeaders(`x-large: ${'v'.repeat(80_000)}`);
    await expect(call(over.url)).rejects.toMatchObject({ code: 'HeadersTooLarge', retryable: false });
  });

  test('that come twice have one meaning', async () => {
    const server = await withHeaders(
      'content-type: text/html\r\ncontent-type: application/json\r\netag: "a"\r\netag: "a"',
    );
    const { headers } = await call(server.url);
    expect(headers).toMatchObject({ 'content-type': 'application/json', etag: '"a"' });
  });

  test.each<[string, readonly string[]]>([
    ['on two lines', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-a: 1\r\ncontent-length: 2\r\n\r\nok']],
    ['in a list', ['HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok']],
    ['in a list and on a line', ['HTTP/1.1 200 OK\r\ncontent-length:2,2\r\ncontent-length: 2\r\n\r\nok']],
    ['cut between them', ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-', 'a: 1\r\ncontent-', 'length: 2\r\n\r', '\nok']],
    ['cut within a list', ['HTTP/1.1 200 OK\r\ncontent-length: 2,', ' 2\r\n\r\no', 'k']],
  ])('with the same length twice have that length: %s', async (_what, writes) => {
    const server = await answering(...writes);
    const sockets = openSockets();
    for (let n = 0; n < 2; n += 1) {
      const { body, headers } = await call(server.url, 'GET', { sockets });
      expect([body.toString(), headers['content-length']]).toEqual(['ok', '2']);
    }
    expect(server.connections()).toBe(1);
  });

  test('with a length and chunks have the length of the chunks', async () => {
    const server = await answering(
      'HTTP/1.1 200 OK\r\ncontent-length: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    );
    expect((await call(server.url)).body.toString()).toBe('ok');
  });

  test('with two lengths fail, and a body may say of lengths what it likes', async () => {
    for (const lines of ['content-length: 2\r\ncontent-length: 3', 'content-length: 2, 3']) {
      const server = await answering(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\nok`);
      await expect(call(server.url)).rejects.toMatchObject({ code: 'ConnectionFailed' });
    }
    const said = '\ncontent-length: 33\ncontent-length: 33\n';
    const server = await answering(`HTTP/1.1 200 OK\r\ncontent-length: ${said.length}\r\n\r\n${said}`);
    expect((await call(server.url)).body.toString()).toBe(said);
  });

  test('that end in bare line feeds are left to the parser at once', async () => {
    const server = await answering('HTTP/1.1 200 OK\ncontent-length: 2\n\nok');
    await expect(call(server.url, 'GET', { signal: AbortSignal.timeout(20_000) })).rejects.toMatchObject({
      code: 'ConnectionFailed',
    });
  });

  test('with an empty target are no redirect', async () => {
    const server = await answering('HTTP/1.1 302 Found\r\nlocation: \r\ncontent-length: 4\r\n\r\nhere');
    await expect(call(server.url)).rejects.toMatchObject({ code: 'HttpStatus302', body: 'here' });
    expect(server.calls()).toBe(1);
  });

  test('with a target in UTF-8 are followed', async () => {
    const paths: string[] = [];
    const server = await startTcpDownstream((socket) =>
      socket.on('data', (bytes) => {
        const path = bytes.toString('latin1').split(' ')[1] ?? '';
        paths.push(path);
        socket.write(path === '/' ? 'HTTP/1.1 302 Found\r\nlocation: /grüße?q=東\r\ncontent-length: 0\r\n\r\n' : ok);
      }),
    );
    await call(`${server.url}/`);
    expect(paths).toEqual(['/', '/gr%C3%BC%C3%9Fe?q=%E6%9D%B1']);
  });
});

describe('a refusal', () => {
  const refusing = (head: string, body: Buffer) =>
    answering(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 422 Unprocessable\r\ncontent-length: ${body.length}\r\n${head}\r\n\r\n`),
        body,
      ]),
    );
  test('has the beginning of its body, decoded, and whole characters of it', async () => {
    const said = '{"error":"no zip code"}';
    const plain = await refusing('content-type: application/json', Buffer.from(said));
    await expect(call(plain.url)).rejects.toMatchObject({ code: 'HttpStatus422', body: said });
    const packed = await refusing('content-encoding: gzip', gzipSync(said));
    await expect(call(packed.url)).rejects.toMatchObject({ body: said });
    const long = await refusing('content-type: text/plain', Buffer.from(`x${'é'.repeat(200_000)}`));
    await expect(call(long.url)).rejects.toMatchObject({ body: `x${'é'.repeat(1_023)}…` });
    const bytes = await refusing('content-type: image/png', Buffer.from([0x89, 0xff, 0xfe]));
    await expect(call(bytes.url)).rejects.toMatchObject({ body: undefined });
  });
});

/** The port of a server that listens now, and ends with its test. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  // A server that listens on a port has an address with one.
  return (server.address() as AddressInfo).port;
}

describe('a server of another kind', () => {
  test.each<[string, () => Server]>([
    ['http', () => createHttp2Server()],
    ['https', () => createSecureServer({ ...certificate, allowHTTP1: false })],
  ])('that speaks only HTTP/2 is named (%s)', async (scheme, create) => {
    const url = `${scheme}://127.0.0.1:${await portOf(create())}/`;
    await expect(call(url)).rejects.toMatchObject({ code: 'Http2Only', retryable: false });
  });

  test('that wants a client certificate is named', async () => {
    const port = await portOf(
      createTlsServer({ ...certificate, requestCert: true, rejectUnauthorized: true }, () => {}),
    );
    await expect(call(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'ConnectionFailed',
      message: expect.stringContaining('it may want a client certificate'),
    });
  });

  test('whose certificate nobody trusts is named with the reason', async () => {
    const url = `https://127.0.0.1:${await portOf(createTlsServer(certificate, () => {}))}/`;
    await expect(call(url, 'GET', { sockets: openSockets() })).rejects.toMatchObject({
      code: 'TlsFailed',
      message: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
    });
  });
});
