import { Readable } from 'node:stream';
import { TaskError } from '../../task/errors.ts';
import type { Stop } from '../../task/stop.ts';
import { type ConnectorSettings, shared } from '../settings.ts';
import { addressRefused } from './address-guard.ts';
import { beginningOf, bodyTooLarge, codingsOf, decoded, decodedBytes, isDecodingFailure, undecodable } from './body.ts';
import { connectionFailure, statusFailure } from './failures.ts';
import { type HttpMethod, idempotentMethods } from './methods.ts';
import { openProxiedSockets } from './proxied-sockets.ts';
import { parseUrl, redirected } from './redirect.ts';
import type { HttpRequest } from './request.ts';
import { openHttpSockets } from './sockets.ts';
import { beginningText } from './text.ts';
import type { CallUrl } from './url.ts';
import type { Exchanged, ExchangeHead, HttpSockets, Intake } from './wire.ts';

/** Limits and rules of one call. */
export interface HttpCallOptions {
  /** The call's one timeout: its abort closes the socket, and the call rejects with its reason. */
  readonly signal: AbortSignal;
  /** The attempt that the signal is of: the tasks that come along listen to it at less cost. @internal */
  readonly stop?: Stop | undefined;
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
  /** Each line of Set-Cookie, which cannot be told apart once they are joined, as `getSetCookie()` of fetch; absent where there is none. */
  readonly setCookie?: readonly string[];
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

/** Of a failed answer's body so much is kept, in bytes: a refusal says why in its first lines. */
const failureBytes = 2_048;

/** A body that nobody wants is read up to here to keep its socket; a longer one costs the socket. */
const maxDumpBytes = 65_536;

/**
 * Makes one HTTP call and reads its whole answer; what it started is over when it settles.
 *
 * @throws TaskError `HttpStatus404` (with its status), `ConnectionFailed`, `DnsFailed`, `TlsFailed`, `ClientCertificateRequired`, `Http2Only`,
 *   `UpgradeRefused`, `HeadersTooLarge`, `AddressRefused`, `InvalidUrl`, `InvalidRequest`, `TooManyRedirects`, `BodyTooLarge`, or
 *   `InvalidBody`
 * @throws the signal's reason when it aborts
 */
export function httpCall(request: HttpRequest, options: HttpCallOptions): Promise<HttpAnswer> {
  const { maxBodyBytes = defaultMaxBodyBytes } = options;
  // Not awaited here: a second async function is a hundredth of what a call takes.
  return follow(request, options, { wanted: { kind: 'collect', maxBytes: maxBodyBytes }, finish: collected });
}

/** A whole answer. Most bodies have no coding, and there is nothing to wait for then. */
function collected(
  { answer, url }: Followed,
  { maxBodyBytes = defaultMaxBodyBytes }: HttpCallOptions,
): HttpAnswer | Promise<HttpAnswer> {
  const { status, headers, setCookie } = answer;
  // What was to be collected is bytes.
  const bytes = answer.body as Buffer;
  const whole = (body: Buffer): HttpAnswer =>
    setCookie === undefined ? { status, headers, body, url } : { status, headers, setCookie, body, url };
  if (headers['content-encoding'] === undefined) return whole(bytes);
  return decodedBytes(bytes, { headers, maxBytes: maxBodyBytes }).then(whole);
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
  const { answer, url } = await follow(request, options, {
    wanted: { kind: 'stream' },
    finish: (followed) => followed,
  });
  const { body, ...beginning } = answer;
  const head = { ...beginning, url };
  const encoding = head.headers['content-encoding'];
  const hasBody = request.method !== 'HEAD' && head.headers['content-length'] !== '0';
  // What was to be streamed is a stream.
  const stream = decoded(body as Readable, hasBody ? codingsOf(encoding) : []);
  try {
    return { ...head, received: await options.receive(limited(stream, options.maxBodyBytes)) };
  } catch (error) {
    stream.on('error', () => {}).destroy();
    options.signal.throwIfAborted();
    throw isDecodingFailure(error) ? undecodable(encoding, error) : connectionFailure(error, new URL(head.url).host);
  }
}

interface Followed {
  readonly answer: Exchanged;
  /** Where it came from. */
  readonly url: string;
}

/** Calls, follows redirects to the answer that was expected, and makes of that what was asked for. */
async function follow<Made>(
  request: HttpRequest,
  options: HttpCallOptions,
  {
    wanted,
    finish,
  }: {
    readonly wanted: Intake;
    readonly finish: (followed: Followed, options: HttpCallOptions) => Made | Promise<Made>;
  },
): Promise<Made> {
  const { maxRedirects = defaultMaxRedirects } = options;
  const sockets = options.sockets ?? socketsOfProcess(options.allowPrivateNetwork);
  let current = request;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const url = parseUrl(current.url);
    if (isOwn(url)) throw addressRefused(url.host);
    let answer: Exchanged;
    try {
      answer = await send(sockets, current, { url, options, wanted });
    } catch (error) {
      options.signal.throwIfAborted();
      throw connectionFailure(error, url.host);
    }
    const { status, headers } = answer;
    if (isExpected(status, options.expect)) return finish({ answer, url: url.href }, options);
    const next = redirected(current, { status, location: headers['location'] });
    if (next === undefined) throw await refusal(answer, { host: url.host, expect: options.expect });
    current = next;
  }
  throw new TaskError(`expected at most ${maxRedirects} redirects, got more`, { code: 'TooManyRedirects' });
}

/** The embedded cloud holds the jobs of this machine: it is no downstream, by whichever name of loopback. */
function isOwn(url: CallUrl): boolean {
  const port = ownPort();
  return (
    port !== undefined &&
    url.port === port &&
    /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])$/.test(url.hostname)
  );
}

function send(
  sockets: HttpSockets,
  { method, headers = {}, secretHeaders, body }: HttpRequest,
  { url, options, wanted }: { readonly url: CallUrl; readonly options: HttpCallOptions; readonly wanted: Intake },
): Promise<Exchanged> {
  const { signal, stop, expect } = options;
  const { origin } = url;
  const path = url.pathname + url.search;
  const sent = secretHeaders === undefined ? headers : withSecret(headers, secretHeaders);
  const call =
    body === undefined ? { origin, path, method, headers: sent } : { origin, path, method, headers: sent, body };
  const decide = (head: ExchangeHead): Intake => {
    if (!isExpected(head.status, expect)) return { kind: 'begin', maxBytes: maxDumpBytes };
    if (wanted.kind !== 'stream') refuseEarly(method, head, wanted.maxBytes);
    return wanted;
  };
  return sockets.send(call, { signal, stop, idempotent: idempotentMethods.has(method), decide });
}

/** A secret header stands in the place of an item's own of the same name. */
function withSecret(
  headers: Readonly<Record<string, string>>,
  secretHeaders: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const secret = new Set(Object.keys(secretHeaders).map((name) => name.toLowerCase()));
  const others = Object.entries(headers).filter(([name]) => !secret.has(name.toLowerCase()));
  return { ...Object.fromEntries(others), ...secretHeaders };
}

/** A plain body that says that it is too long need not be read first. */
function refuseEarly(method: HttpMethod, { headers }: ExchangeHead, maxBytes: number): void {
  if (method === 'HEAD' || headers['content-encoding'] !== undefined) return;
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
}

/** The failure of an answer that was not expected, with the beginning of its body where that is text. */
async function refusal(
  { status, headers, body }: Exchanged,
  { host, expect }: { readonly host: string; readonly expect: readonly number[] | undefined },
): Promise<TaskError> {
  const expected = expect?.join(' or ') ?? '200 to 299';
  // An answer of which the beginning is wanted is bytes.
  const text = beginningText(
    await beginningOf(body as Buffer, { headers, maxBytes: failureBytes }),
    headers['content-type'] ?? '',
    failureBytes,
  );
  return statusFailure({ status, headers, host, body: text }, { expected, now: Date.now() });
}

/** A stream that fails as soon as it is longer than allowed. */
function limited(stream: Readable, maxBytes: number | undefined): Readable {
  if (maxBytes === undefined) return stream;
  const blocks = async function* (): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const block of stream as AsyncIterable<Buffer>) {
      bytes += block.byteLength;
      if (bytes > maxBytes) throw bodyTooLarge(maxBytes);
      yield block;
    }
  };
  return Readable.from(blocks(), { objectMode: false });
}

function isExpected(status: number, expect: readonly number[] | undefined): boolean {
  return expect === undefined ? status >= 200 && status <= 299 : expect.includes(status);
}

const stackPolicy = shared(({ allowPrivateNetwork = false }) => allowPrivateNetwork);
const ownPort = shared(({ ownAddress }) => ownAddress?.split(':')[1]);
const publicSockets = shared((connectors) => opened(connectors, false));
const privateSockets = shared((connectors) => opened(connectors, true));

function opened({ proxy }: ConnectorSettings, allowPrivateNetwork: boolean): HttpSockets {
  return proxy === undefined
    ? openHttpSockets({ allowPrivateNetwork })
    : openProxiedSockets({ allowPrivateNetwork, proxy });
}

function socketsOfProcess(allowPrivateNetwork: boolean | undefined): HttpSockets {
  return (allowPrivateNetwork ?? stackPolicy()) ? privateSockets() : publicSockets();
}
