import { isIP, type Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import { limits } from '../../limits.ts';
import { type AddressPolicy, addressRefused, guardedLookup, isRefused } from './address-guard.ts';
import { type Listening, passOverInformational } from './informational.ts';
import { type Call, dispatch, type Line, type LineKeeper } from './line.ts';
import type { Exchanged, HttpSockets, SendOptions, WireRequest } from './wire.ts';

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

/** Headers of an answer: Node allows 16 KiB, browsers 256; 64 KiB, and a little, are room for any cookie jar. */
const maxHeaderBytes = 66_560;

/** Opens no socket yet; the answer is meant to live as long as its process. */
export function openHttpSockets(settings: HttpSocketSettings): HttpSockets {
  return new Sockets(settings);
}

class Sockets implements HttpSockets, LineKeeper {
  readonly #settings: HttpSocketSettings;
  readonly #connect: buildConnector.connector;
  /** Lines that wait for a call, by origin; the last used first, so that the others grow old and close. */
  readonly #idle = new Map<string, Line[]>();
  readonly #lines = new Set<Line>();
  readonly #waiting: Array<() => void> = [];
  #idleLines = 0;
  #open = 0;

  constructor(settings: HttpSocketSettings) {
    this.#settings = settings;
    this.#connect = buildConnector({
      allowH2: false,
      timeout: connectTimeoutMs,
      lookup: guardedLookup(settings),
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    });
  }

  open(): number {
    return this.#open;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines].map((line) => line.client.destroy()));
  }

  /** One promise for a call, whatever it takes: each further one costs as much as the row. */
  send(request: WireRequest, options: SendOptions): Promise<Exchanged> {
    const { signal, stop } = options;
    return new Promise((resolve, reject) => {
      if ((stop ?? signal).aborted) {
        reject(signal.reason);
        return;
      }
      const call = { request, options, resolve, reject };
      const line = this.#take(request.origin);
      if (line !== undefined) dispatch(this, line, call);
      else
        this.#wait(request.origin, signal)
          .then((waited) => dispatch(this, waited, call))
          .catch(reject);
    });
  }

  /** A line to the origin that waits, or a new one where another may be. */
  #take(origin: string): Line | undefined {
    const idle = this.#idle.get(origin);
    const line = idle?.pop();
    if (line !== undefined) {
      this.#idleLines -= 1;
      return line;
    }
    if (this.#lines.size < limits.maxConcurrency) return this.#dial(origin);
    const other = this.#someIdle();
    if (other === undefined) return undefined;
    this.drop(other);
    return this.#dial(origin);
  }

  async #wait(origin: string, signal: AbortSignal): Promise<Line> {
    for (;;) {
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        const abort = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1);
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        this.#waiting.push(go);
      });
      const line = this.#take(origin);
      if (line !== undefined) return line;
    }
  }

  #dial(origin: string): Line {
    const listening: Listening = { awaiting: false, heard: false, otherProtocol: undefined };
    const connect: buildConnector.connector = (target, callback) => {
      // A look-up happens for names only, so that an address in the URL is checked here.
      if (isIP(target.hostname) !== 0 && isRefused(target.hostname, this.#settings)) {
        callback(addressRefused(target.hostname), null);
        return;
      }
      this.#connect(target, (...outcome) => {
        if (outcome[0] === null) this.#watch(line, outcome[1]);
        callback(...outcome);
      });
    };
    const client = new Client(origin, {
      connect,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: maxHeaderBytes,
    });
    const line: Line = { origin, client, listening, served: -1, isConnected: false, isGone: false };
    this.#lines.add(line);
    return line;
  }

  #watch(line: Line, socket: Socket): void {
    this.#open += 1;
    line.served = 0;
    line.isConnected = true;
    passOverInformational(socket, line.listening);
    socket.once('close', () => {
      this.#open -= 1;
      line.isConnected = false;
      const idle = this.#idle.get(line.origin);
      const place = idle?.indexOf(line) ?? -1;
      if (idle === undefined || place === -1) return;
      // Grown old while it waited.
      idle.splice(place, 1);
      this.#idleLines -= 1;
      this.drop(line);
    });
  }

  free(line: Line): void {
    if (!line.isConnected || this.#idleLines >= maxIdle) {
      this.drop(line);
      return;
    }
    const idle = this.#idle.get(line.origin);
    if (idle === undefined) this.#idle.set(line.origin, [line]);
    else idle.push(line);
    this.#idleLines += 1;
    this.#waiting.shift()?.();
  }

  #someIdle(): Line | undefined {
    for (const lines of this.#idle.values()) {
      const line = lines.shift();
      if (line === undefined) continue;
      this.#idleLines -= 1;
      return line;
    }
    return undefined;
  }

  again(line: Line, call: Call): void {
    dispatch(this, this.#dial(line.origin), call);
  }

  drop(line: Line): void {
    if (line.isGone) return;
    line.isGone = true;
    this.#lines.delete(line);
    if (this.#idle.get(line.origin)?.length === 0) this.#idle.delete(line.origin);
    line.client.destroy().catch(() => {});
    this.#waiting.shift()?.();
  }
}
