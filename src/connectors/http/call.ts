import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { TaskError } from '../../task/errors.ts';
import { shared } from '../settings.ts';
import { bodyTooLarge, collect, decoded, isDecodingFailure } from './body.ts';
import { connectionFailure, statusFailure } from './failures.ts';
import { type HttpMethod, idempotentMethods } from './methods.ts';
import { parseUrl, redirected } from './redirect.ts';
import type { HttpRequest } from './request.ts';
import { type HttpSockets, openHttpSockets } from './sockets.ts';

/** Limits and rules of one call. */
export interface HttpCallOptions {
  /** The call's one timeout: its abort closes the socket, and the call rejects with its reason. */
  readonly signal: AbortSignal;
  /** Whether loopback and private addresses may be called. @default what the stack says; not where there is none */
  readonly allowPrivateNetwork?: boolean;
  /** Statuses that are no failure; a redirect among them is not followed. @default 200 to 299 */
  readonly expect?: readonly number[];
  /** Largest body in bytes, decoded. @default 1,048,576 */
  readonly maxBodyBytes?: number;
  /** Redirects that are followed. @default 5 */
  readonly maxRedirects?: number;
  /** The sockets to use. @default those of the process */
  readonly sockets?: HttpSockets;
}

/** The answer to a call. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; a header that came several times has its values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded from its Content-Encoding. */
  readonly body: Buffer;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

/** The head of an answer, and what its body became. */
export interface HttpReceived<Received> extends Omit<HttpAnswer, 'body'> {
  readonly received: Received;
}

/** Limits and rules of one call whose body is streamed. */
export interface HttpStreamOptions<Received> extends HttpCallOptions {
  /** Reads the decoded body to its end; the stream is destroyed when it rejects. */
  readonly receive: (body: Readable) => Promise<Received>;
}

/** A larger body is an object's business, not a row's. */
const defaultMaxBodyBytes = 1_048_576;

const defaultMaxRedirects = 5;

/** A body that nobody wants is read up to here to keep its socket; a longer one costs the socket. */
const maxDumpBytes = 65_536;

/**
 * Makes one HTTP call and reads its whole answer; what it started is over when it settles.
 *
 * @throws TaskError `HttpStatus`, `ConnectionFailed`, `DnsFailed`, `TlsFailed`, `AddressRefused`, `InvalidUrl`, `InvalidRequest`,
 *   `TooManyRedirects`, `BodyTooLarge`, or `InvalidBody`
 * @throws the signal's reason when it aborts
 */
export async function httpCall(request: HttpRequest, options: HttpCallOptions): Promise<HttpAnswer> {
  const { maxBodyBytes = defaultMaxBodyBytes } = options;
  const receive = (stream: Readable): Promise<Buffer> => collect(stream, maxBodyBytes);
  const { received, ...head } = await httpStream(request, { ...options, maxBodyBytes, receive });
  return { ...head, body: received };
}

/**
 * Makes one HTTP call, and hands its decoded body to `receive` as a stream, which has no limit but `maxBodyBytes` where that is given.
 *
 * @throws what {@link httpCall} does, and what `receive` does
 */
export async function httpStream<Received>(
  request: HttpRequest,
  options: HttpStreamOptions<Received>,
): Promise<HttpReceived<Received>> {
  const { signal, maxRedirects = defaultMaxRedirects } = options;
  const sockets = options.sockets ?? socketsOfProcess(options.allowPrivateNetwork);
  let current = request;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const url = parseUrl(current.url);
    try {
      const answer = await send(sockets, { ...current, url }, signal);
      // Undici gives a socket back one turn of the loop after its answer; without this wait the next call opens another, and a worker has twice the sockets.
      const outcome = await settle(answer, { request: current, url, options }).finally(() => nextTurn());
      if ('received' in outcome) return outcome;
      current = outcome.next;
    } catch (error) {
      signal.throwIfAborted();
      throw connectionFailure(error, url.host);
    }
  }
  throw new TaskError(`expected at most ${maxRedirects} redirects, got more`, { code: 'TooManyRedirects' });
}

async function send(
  sockets: HttpSockets,
  { url, method, headers, body }: Omit<HttpRequest, 'url'> & { readonly url: URL },
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  signal.throwIfAborted();
  const call = {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: Object.entries(headers ?? {}).flat(),
    ...(body === undefined ? {} : { body }),
  };
  try {
    return await sockets.send(call, { signal, fresh: false });
  } catch (error) {
    // A server may close a kept socket in the moment that we write to it: nobody's failure, so one more try is free where it is harmless.
    if (signal.aborted || !idempotentMethods.has(method) || !sockets.wasStale(error)) throw error;
    return sockets.send(call, { signal, fresh: true });
  }
}

async function settle<Received>(
  answer: Dispatcher.ResponseData,
  call: { readonly request: HttpRequest; readonly url: URL; readonly options: HttpStreamOptions<Received> },
): Promise<HttpReceived<Received> | { readonly next: HttpRequest }> {
  const { request, url, options } = call;
  const { statusCode: status } = answer;
  const headers = flat(answer.headers);
  if (isExpected(status, options.expect)) {
    const received = await receiveBody(answer, { method: request.method, headers, options });
    return { status, headers, url: url.href, received };
  }
  await answer.body.dump({ limit: maxDumpBytes, signal: options.signal });
  const next = redirected(request, { status, location: headers['location'] });
  if (next !== undefined) return { next };
  const expected = options.expect?.join(' or ') ?? '200 to 299';
  throw statusFailure({ status, headers, host: url.host, body: undefined }, { expected, now: Date.now() });
}

async function receiveBody<Received>(
  answer: Dispatcher.ResponseData,
  call: {
    readonly method: HttpMethod;
    readonly headers: HttpAnswer['headers'];
    readonly options: HttpStreamOptions<Received>;
  },
): Promise<Received> {
  const { method, headers, options } = call;
  const { maxBodyBytes = Number.POSITIVE_INFINITY } = options;
  const encoding = method === 'HEAD' || headers['content-length'] === '0' ? undefined : headers['content-encoding'];
  const stream = decoded(answer.body, encoding);
  if (stream === answer.body && method !== 'HEAD' && Number(headers['content-length'] ?? 0) > maxBodyBytes) {
    stream.on('error', () => {}).destroy();
    throw bodyTooLarge(maxBodyBytes);
  }
  try {
    return await options.receive(stream);
  } catch (error) {
    stream.on('error', () => {}).destroy();
    if (!isDecodingFailure(error)) throw error;
    throw new TaskError(`expected a whole body in ${encoding}, got one that cannot be decoded`, {
      code: 'InvalidBody',
      cause: error,
    });
  }
}

function isExpected(status: number, expect: readonly number[] | undefined): boolean {
  return expect === undefined ? status >= 200 && status <= 299 : expect.includes(status);
}

function flat(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  const flattened: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flattened[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flattened;
}

const stackPolicy = shared(({ allowPrivateNetwork = false }) => allowPrivateNetwork);
const publicSockets = shared(() => openHttpSockets({ allowPrivateNetwork: false }));
const privateSockets = shared(() => openHttpSockets({ allowPrivateNetwork: true }));

function socketsOfProcess(allowPrivateNetwork: boolean | undefined): HttpSockets {
  return (allowPrivateNetwork ?? stackPolicy()) ? privateSockets() : publicSockets();
}
