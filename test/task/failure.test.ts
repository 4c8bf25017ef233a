import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TaskError } from '../../src/task/errors.ts';
import { failureOf } from '../../src/task/failure.ts';

const now = Date.UTC(2026, 0, 1);
const failed = (error: unknown) => failureOf(error, now).error;

/** What an async function throws. */
async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure, got none');
}

const withFields = (name: string, fields: object, message = 'no'): Error =>
  Object.assign(new Error(message), { name, ...fields });

describe('a failure of the network, by the built-in fetch', () => {
  it('is tried again and named by its cause', async () => {
    const error = failed(await thrownBy(async () => fetch(`http://127.0.0.1:${await closedPort()}/`)));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', retryable: true });
    expect(error.message).toContain('fetch failed');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('is named where a name has several addresses that all refuse', async () => {
    expect(failed(await thrownBy(async () => fetch(`http://localhost:${await closedPort()}/`)))).toMatchObject({
      code: 'ECONNREFUSED',
      retryable: true,
    });
  });

  it('is tried again where a body breaks off', async () => {
    const server = createTcpServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', () => socket.destroy()),
      );
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    // A server that listens on a port has an address with one.
    const { port } = server.address() as AddressInfo;
    const error = await thrownBy(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
    expect(error).toBeInstanceOf(TypeError);
    expect(failed(error)).toMatchObject({ code: 'UND_ERR_SOCKET', retryable: true });
  });

  it('is tried again where its own timeout was over', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const error = await thrownBy(() => fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20) }));
    expect(failed(error)).toMatchObject({ code: 'TimeoutError', retryable: true });
  });

  it('is no failure of the network where the URL is wrong', async () => {
    expect(failed(await thrownBy(() => fetch('nowhere')))).toMatchObject({ retryable: false });
  });
});

describe('a failure that a client reports', () => {
  it.each<[string, unknown, string, boolean]>([
    ['axios', withFields('AxiosError', { code: 'ECONNABORTED', isAxiosError: true }), 'ECONNABORTED', true],
    [
      'axios, by status',
      withFields('AxiosError', { code: 'ERR_BAD_RESPONSE', response: { status: 503 } }),
      'HttpStatus503',
      true,
    ],
    [
      'axios, by status',
      withFields('AxiosError', { code: 'ERR_BAD_REQUEST', response: { status: 404 } }),
      'HttpStatus404',
      false,
    ],
    ['got', withFields('RequestError', { code: 'ETIMEDOUT' }), 'ETIMEDOUT', true],
    ['got, by status', withFields('HTTPError', { response: { statusCode: 502 } }), 'HttpStatus502', true],
    ['undici', withFields('HeadersTimeoutError', { code: 'UND_ERR_HEADERS_TIMEOUT' }), 'UND_ERR_HEADERS_TIMEOUT', true],
    [
      'undici, of a wrong call',
      withFields('InvalidArgumentError', { code: 'UND_ERR_INVALID_ARG' }),
      'UND_ERR_INVALID_ARG',
      false,
    ],
    ['a model API', withFields('RateLimitError', { status: 429 }), 'RateLimitError', true],
    ['a model API', withFields('Error', { status: 529 }), 'HttpStatus529', true],
    [
      'an SDK that says so',
      withFields('AI_APICallError', { isRetryable: true, statusCode: 400 }),
      'AI_APICallError',
      true,
    ],
    ['kafkajs', withFields('KafkaJSProtocolError', { retriable: false }), 'KafkaJSProtocolError', false],
    [
      'AWS, throttled',
      withFields('ThrottlingException', { $fault: 'client', $metadata: { httpStatusCode: 400 } }),
      'ThrottlingException',
      true,
    ],
    [
      'AWS, that says so',
      withFields('OddException', { $fault: 'client', $retryable: {}, $metadata: { httpStatusCode: 400 } }),
      'OddException',
      true,
    ],
    [
      'AWS, at fault',
      withFields('InternalError', { $fault: 'server', $metadata: { httpStatusCode: 500 } }),
      'InternalError',
      true,
    ],
    [
      'AWS, refused',
      withFields('AccessDeniedException', { $fault: 'client', $metadata: { httpStatusCode: 403 } }),
      'AccessDeniedException',
      false,
    ],
    ['pg, shut down', withFields('error', { code: '57P01', severity: 'FATAL' }), 'Sql57P01', true],
    ['pg, deadlock', withFields('error', { code: '40P01', severity: 'ERROR' }), 'Sql40P01', true],
    ['pg, too many', withFields('error', { code: '53300', severity: 'FATAL' }), 'Sql53300', true],
    ['pg, a row that exists', withFields('error', { code: '23505', severity: 'ERROR' }), 'Sql23505', false],
    ['postgres.js', withFields('PostgresError', { code: '42P01', severity: 'ERROR' }), 'Sql42P01', false],
    ['a database, a conflict', withFields('Error', { code: '40001' }), 'Sql40001', true],
    ['a database, a row that exists', withFields('Error', { code: '23505' }), 'Sql23505', false],
    ['an API with codes like those', withFields('Error', { code: '40001', status: 429 }), 'HttpStatus429', true],
    ['an API with codes unlike those', withFields('Error', { code: 'AB123' }), 'AB123', true],
    ['gaxios', withFields('GaxiosError', { code: '429', response: { status: 429 } }), 'HttpStatus429', true],
    ['gaxios, by code', withFields('GaxiosError', { code: '404' }), 'HttpStatus404', false],
    ['googleapis', withFields('Error', { code: 503, errors: [] }), 'HttpStatus503', true],
    ['a status that is a text', withFields('Error', { status: '404' }), 'HttpStatus404', false],
    ['the body of an API', { error: 'slow down', code: 429 }, 'HttpStatus429', true],
    ['ioredis, connection', withFields('MaxRetriesPerRequestError', {}), 'MaxRetriesPerRequestError', true],
    ['ioredis, loading', withFields('ReplyError', {}, 'LOADING Redis is loading'), 'ReplyError', true],
    ['ioredis, wrong type', withFields('ReplyError', {}, 'WRONGTYPE Operation'), 'ReplyError', false],
    ['mysql2, deadlock', withFields('Error', { code: 'ER_LOCK_DEADLOCK', errno: 1213 }), 'ER_LOCK_DEADLOCK', true],
    ['mysql2, connection', withFields('Error', { code: 'PROTOCOL_CONNECTION_LOST' }), 'PROTOCOL_CONNECTION_LOST', true],
    ['mysql2, a row that exists', withFields('Error', { code: 'ER_DUP_ENTRY', errno: 1062 }), 'ER_DUP_ENTRY', false],
    ['mongodb, network', withFields('MongoNetworkError', {}), 'MongoNetworkError', true],
    [
      'mongodb, by label',
      withFields('MongoServerError', { code: 999, errorLabels: ['TransientTransactionError'] }),
      'MongoServerError',
      true,
    ],
    [
      'mongodb, a key that exists',
      withFields('MongoServerError', { code: 11_000, codeName: 'DuplicateKey' }),
      'DuplicateKey',
      false,
    ],
    ['grpc, unavailable', withFields('Error', { code: 14, details: 'x', metadata: {} }), 'UNAVAILABLE', true],
    ['grpc, not found', withFields('Error', { code: 5, details: 'x', metadata: {} }), 'NOT_FOUND', false],
    ['prisma', withFields('PrismaClientKnownRequestError', { code: 'P2024' }), 'P2024', true],
    ['prisma, unique', withFields('PrismaClientKnownRequestError', { code: 'P2002' }), 'P2002', false],
    ['DNS', withFields('Error', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }), 'ENOTFOUND', true],
    ['TLS', withFields('Error', { code: 'CERT_HAS_EXPIRED' }), 'CERT_HAS_EXPIRED', false],
    ['a plain object', { status: 503, message: 'later' }, 'HttpStatus503', true],
  ])('%s: %#', (_client, error, code, retryable) => {
    expect(failed(error)).toMatchObject({ code, retryable });
  });

  it.each([
    408, 425, 429, 500, 501, 502, 503, 504, 505, 506, 510, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 529, 598,
    599,
  ])('with the status %i is tried again', (status) => {
    for (const error of [{ status }, { statusCode: status }, { response: { status } }]) {
      expect(failed(withFields('Error', error))).toMatchObject({
        code: `HttpStatus${status}`,
        status,
        retryable: true,
      });
    }
  });

  it.each([400, 401, 403, 404, 409, 410, 422])('with the status %i is final', (status) => {
    expect(failed(withFields('Error', { status }))).toMatchObject({ status, retryable: false });
  });

  it.each([
    ['Headers', { headers: new Headers({ 'Retry-After': '1.5' }) }],
    ['an object', { response: { headers: { 'Retry-After': '1.5' } } }],
    ['a list', { responseHeaders: { 'retry-after': ['1.5'] } }],
    ['the SDK', { $response: { headers: { 'retry-after': 1.5 } } }],
  ])('asks to wait by the headers of its response: %s', (_where, fields) => {
    expect(failureOf(withFields('Error', { status: 429, ...fields }), now).retryAfterMs).toBe(1_500);
  });

  it('is found behind wrappers, and in the members of an AggregateError', () => {
    const cause = withFields('Error', { code: 'ECONNRESET' }, 'socket hang up');
    const wrapped = new Error('look-up failed', { cause: new TypeError('again', { cause }) });
    expect(failed(wrapped)).toMatchObject({
      code: 'ECONNRESET',
      retryable: true,
      message: 'look-up failed: again: socket hang up',
    });
    expect(failed(new AggregateError([cause]))).toMatchObject({ code: 'ECONNRESET', retryable: true });
    const understood = new TaskError('busy', { code: 'Busy', retryable: false, retryAfterMs: 5 });
    expect(failureOf(new Error('x', { cause: understood }), now)).toMatchObject({
      error: { code: 'Busy', retryable: false },
      retryAfterMs: 5,
    });
  });
});

describe('a bug of the task', () => {
  it.each([TypeError, ReferenceError, RangeError, SyntaxError])('is not tried again: %o', (Bug) => {
    expect(failed(new Bug('x'))).toMatchObject({ code: Bug.name, retryable: false });
  });
});

describe('a thing that is no error', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const shared = { n: 1 };
  it.each<[unknown, RegExp]>([
    [{ message: 'no such user', code: 'PGRST116' }, /^no such user$/],
    [{ error: { message: 'bad key' } }, /^bad key$/],
    [{ reason: 'quota', left: 0 }, /\{"reason":"quota","left":0\}/],
    [{}, /^the task threw an object without a message$/],
    [circle, /^the task threw \{"self":"\[circular\]"\}$/],
    [{ id: 1n, up: circle, why: new Error('no') }, /\{"id":"1","up":\{"self":"\[circular\]"\},"why":"Error: no"\}/],
    [{ a: shared, b: shared }, /\{"a":\{"n":1\},"b":\{"n":1\}\}/],
    [{ error: 'bad', detail: [1] }, /^bad; \{"detail":\[1\]\}$/],
    [{ message: 'bad', errors: [{ field: 'zip' }], status: 422 }, /^bad; \{"errors":\[\{"field":"zip"\}\]\}$/],
    [{ error: { message: 'bad key', param: 'id' } }, /^bad key; \{"error":\{"param":"id"\}\}$/],
    [Object.create(null), /object/],
    [['a', 1], /\["a",1\]/],
    ['gone', /"gone"/],
    ['', /the text ""/],
    [undefined, /^the task threw undefined$/],
    [null, /^the task threw null$/],
    [Symbol('s'), /Symbol\(s\)/],
    [7n, /7n/],
    [() => 1, /function/],
    [new Map([['a', 1]]), /Map/],
  ])('has a message that a person can read: %o', (thrown, message) => {
    const error = failed(thrown);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('[object');
    expect(error.retryable).toBe(error.status !== 422);
  });

  it.each<[string, unknown]>([
    [
      'a getter that throws',
      {
        get message(): never {
          throw new Error('no');
        },
      },
    ],
    ['a revoked proxy', revoked()],
  ])('is described whatever it does: %s', (_what, thrown) => {
    expect(failed(thrown)).toMatchObject({ message: expect.stringMatching(/./), retryable: true });
  });
});

describe('where it failed', () => {
  const stacked = (...frames: string[]) => Object.assign(new Error('x'), { stack: ['Error: x', ...frames].join('\n') });
  it.each<[string[], string | undefined]>([
    [['    at lookUp (/home/ada/shop/tasks/look-up.ts:12:9)'], 'tasks/look-up.ts:12'],
    [['    at async file:///home/ada/shop/tasks/sub/a.js:3:1'], 'tasks/sub/a.js:3'],
    [
      [
        '    at node:internal/deps/undici/undici:13510:13',
        '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
        '    at async call (/home/ada/shop/node_modules/axios/index.js:1:1)',
        '    at async Object.run (/home/ada/shop/lib/api.ts:7:3)',
      ],
      'shop/lib/api.ts:7',
    ],
    [['    at run (/x/fanloop/src/task/task.ts:1:1)', '    at <anonymous>:1:1'], undefined],
    [[], undefined],
  ])('is the first frame of the task itself: %j', (frames, at) => {
    expect(failed(stacked(...frames)).at).toBe(at);
  });
});

/** A port that refuses: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
