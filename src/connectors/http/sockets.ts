import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isIP, type Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { limits } from '../../limits.ts';
import { type AddressPolicy, addressRefused, guardedLookup, isRefused } from './address-guard.ts';

/** The sockets of one process under one address policy. */
export interface HttpSockets {
  /** Sends one request and resolves with its answer's head; `fresh` takes a new socket in any case. @throws the signal's reason at once when it aborts */
  send(
    request: Dispatcher.RequestOptions,
    options: { readonly signal: AbortSignal; readonly fresh: boolean },
  ): Promise<Dispatcher.ResponseData>;
  /** Whether this failure of `send` came from a kept socket that its server had given up meanwhile. */
  wasStale(error: unknown): boolean;
  /** Sockets that are open. */
  open(): number;
  /** Closes all sockets; calls under way fail. */
  close(): Promise<void>;
}

/** How sockets are kept and trusted. */
export interface HttpSocketSettings extends AddressPolicy {
  /** Certificates that are trusted beside the public ones, as PEM. @default none */
  readonly ca?: string;
}

/** A connection that takes longer fails, even where the attempt has more time. */
const connectTimeoutMs = 10_000;

/** An idle socket is closed after this time: before servers and NAT gateways forget it, and soon after a Lambda environment thawed. */
const keepAliveMs = 4_000;

/** Over this many idle sockets (a job that calls thousands of hosts), calls close theirs at their end: 500 calls and 200 idle sockets leave room under 1,024 descriptors. */
const maxIdle = 200;

const sendHeaders = 'undici:client:sendHeaders';

/** Opens no socket yet; the answer is meant to live as long as its process. */
export function openHttpSockets(settings: HttpSocketSettings): HttpSockets {
  const uses = new WeakMap<object, number>();
  const stale = new WeakSet<object>();
  let open = 0;
  let running = 0;

  const connectSocket = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup: guardedLookup(settings),
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
  });
  const connect: buildConnector.connector = (target, callback) => {
    // A look-up happens for names only, so that an address in the URL is checked here.
    if (isIP(target.hostname) !== 0 && isRefused(target.hostname, settings)) {
      callback(addressRefused(target.hostname), null);
      return;
    }
    connectSocket(target, (...outcome) => {
      if (outcome[0] === null) watch(outcome[1]);
      callback(...outcome);
    });
  };
  const watch = (socket: Socket): void => {
    open += 1;
    uses.set(socket, 0);
    socket.on('error', (error) => {
      if ((uses.get(socket) ?? 0) > 1) stale.add(error);
    });
    socket.once('close', () => {
      open -= 1;
    });
  };
  const count = (message: unknown): void => {
    // The shape is undici's, by its documentation of this channel.
    const { socket } = message as { readonly socket: Socket };
    const before = uses.get(socket);
    if (before !== undefined) uses.set(socket, before + 1);
  };
  // Only here undici tells which socket a request is written to.
  subscribe(sendHeaders, count);

  // The attempt's signal is the one timeout of a call, so that undici's own are off.
  const shared = { connect, headersTimeout: 0, bodyTimeout: 0, connections: limits.maxConcurrency };
  const keeping = new Agent({
    ...shared,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
  });
  const single = new Agent({ ...shared, pipelining: 0 });

  return {
    send: async (request, { signal, fresh }) => {
      const agent = fresh ? single : keeping;
      const reset = open - running > maxIdle;
      running += 1;
      const ended = (): void => {
        running -= 1;
      };
      try {
        const answer = await sendAbortable(agent, { ...request, reset }, signal);
        answer.body.once('close', ended);
        return answer;
      } catch (error) {
        ended();
        throw error;
      }
    },
    wasStale: (error) => typeof error === 'object' && error !== null && stale.has(error),
    open: () => open,
    close: async () => {
      unsubscribe(sendHeaders, count);
      await Promise.all([keeping.destroy(), single.destroy()]);
    },
  };
}

/** Undici hears an abort only after a request has got its socket; a caller must hear it at once. */
function sendAbortable(
  agent: Agent,
  request: Dispatcher.RequestOptions,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    agent.request({ ...request, signal }, (error, answer) => {
      signal.removeEventListener('abort', abort);
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}
