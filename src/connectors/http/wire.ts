import type { Readable } from 'node:stream';
import type { Stop } from '../../task/stop.ts';
import type { HttpMethod } from './methods.ts';

/** The head of an answer. */
export interface ExchangeHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lines of Set-Cookie, where there are any. */
  readonly setCookie?: readonly string[];
}

/** What becomes of a body, decided by its head: all of it, its beginning (what follows is dropped), or a stream. */
export type Intake =
  | { readonly kind: 'collect'; readonly maxBytes: number }
  | { readonly kind: 'begin'; readonly maxBytes: number }
  | { readonly kind: 'stream' };

/** An answer that is there: its body as it came, or as it comes. */
export type Exchanged = ExchangeHead & { readonly body: Buffer | Readable };

/** A request as it is written. */
export interface WireRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly method: HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** How one exchange goes. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** The same moment as the signal's abort, at less cost. @default the signal itself */
  readonly stop?: Stop | undefined;
  /** Whether asking twice is asking once: such a request is sent again, once, when a kept socket turns out to be stale. */
  readonly idempotent: boolean;
  /** What becomes of the body. */
  readonly decide: (head: ExchangeHead) => Intake;
}

/** The sockets of one process under one address policy. */
export interface HttpSockets {
  /** Sends one request and resolves with its answer. @throws the signal's reason at once when it aborts */
  send(request: WireRequest, options: SendOptions): Promise<Exchanged>;
  /** Sockets that are open. */
  open(): number;
  /** Closes all sockets; calls under way fail. */
  close(): Promise<void>;
}

/** Calls back once when the exchange is to end, until the answer is called. */
export function whenStopped({ signal, stop }: Pick<SendOptions, 'signal' | 'stop'>, callback: () => void): () => void {
  if (stop?.listen(callback) === true) return () => stop.unlisten(callback);
  signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}
