import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** How the demo's downstream behaves; every share is between 0 and 1. */
export interface SlowApiOptions {
  /** The same seed gives each id the same latency and the same fate. @default 1 */
  readonly seed?: number;
  /** Shortest and longest time to an answer, in milliseconds. @default [50, 250] */
  readonly latencyMs?: readonly [shortest: number, longest: number];
  /** Share of ids whose first try is refused by 429 or 503 with Retry-After. @default 0.02 */
  readonly throttleShare?: number;
  /** Share of ids that answer 404, always. @default 0.003 */
  readonly missingShare?: number;
}

/** A running slow API; `GET {url}/items/{id}` answers `{id, name, price}` for any whole number `id`. */
export interface SlowApi {
  /** Without a slash at its end, as in `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Requests that arrived so far. */
  requests(): number;
  /** Resolves when the port is free again; answers under way are dropped. */
  close(): Promise<void>;
}

/** What awaits an id: a pure function of seed and id. */
export interface Fate {
  readonly latencyMs: number;
  readonly missing: boolean;
  /** The id's first 0, 1, or 2 tries are refused, so that a third attempt always gets through. */
  readonly refusals: number;
  readonly refusalStatus: 429 | 503;
  readonly retryAfter: 'now' | 'second' | 'date';
}

/** One in this many throttled ids is refused twice. */
const refusedTwice = 4;

/** The kernel queues this many connections that are not accepted yet; the default of 511 is less than a fleet opens at once. */
const backlog = 2_048;

/** Longer than any client keeps an idle socket, so that the client is the one who closes it. */
const keepAliveMs = 60_000;

/** Starts a small, slow, sometimes refusing HTTP API on loopback and a free port. */
export async function startSlowApi(options: SlowApiOptions = {}): Promise<SlowApi> {
  let requests = 0;
  const refused = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();

  const answerLater = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    request.resume();
    const id = /^\/items\/(\d{1,15})$/.exec(request.url ?? '')?.[1];
    if (id === undefined) {
      send(response, 404, { error: 'expected /items/{id} with a whole number' });
      return;
    }
    const fate = fateOf(Number(id), options);
    const timer = setTimeout(() => {
      timers.delete(timer);
      answer(response, id, fate);
    }, fate.latencyMs);
    timers.add(timer);
    response.once('close', () => {
      clearTimeout(timer);
      timers.delete(timer);
    });
  };

  const answer = (response: ServerResponse, id: string, fate: Fate): void => {
    const before = refused.get(id) ?? 0;
    if (fate.missing) {
      send(response, 404, { error: `no item ${id}` });
    } else if (before < fate.refusals) {
      refused.set(id, before + 1);
      response.setHeader('retry-after', retryAfter(fate));
      send(response, fate.refusalStatus, { error: 'slow down' });
    } else {
      send(response, 200, { id: Number(id), name: `Item ${id}`, price: (Number(id) * 7) % 1_000 });
    }
  };

  const server = createServer({ keepAliveTimeout: keepAliveMs, noDelay: true }, answerLater);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address of the slow API');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => requests,
    close: () =>
      new Promise((resolve, reject) => {
        for (const timer of timers) clearTimeout(timer);
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** Draws an id's fate. */
export function fateOf(id: number, options: SlowApiOptions = {}): Fate {
  const { seed = 1, latencyMs: [shortest, longest] = [50, 250], throttleShare = 0.02, missingShare = 0.003 } = options;
  const draw = (salt: number): number => mix(seed, id, salt);
  const missing = draw(1) < missingShare;
  const throttled = !missing && draw(2) < throttleShare;
  return {
    latencyMs: Math.round(shortest + draw(0) * (longest - shortest)),
    missing,
    refusals: throttled ? (draw(3) < 1 / refusedTwice ? 2 : 1) : 0,
    refusalStatus: draw(4) < 0.5 ? 429 : 503,
    retryAfter: draw(5) < 0.5 ? 'date' : draw(6) < 0.5 ? 'second' : 'now',
  };
}

function retryAfter(fate: Fate): string {
  if (fate.retryAfter === 'date') return new Date(Date.now() + 1_000).toUTCString();
  return fate.retryAfter === 'second' ? '1' : '0';
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** An even number from 0 to 1 out of three whole numbers (the finalizer of MurmurHash3). */
function mix(seed: number, id: number, salt: number): number {
  let hash = Math.imul(seed, 0x9e37_79b1) ^ Math.imul(id, 0x85eb_ca6b) ^ Math.imul(salt + 1, 0xc2b2_ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
