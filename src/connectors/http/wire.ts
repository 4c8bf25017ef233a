import type { Readable } from 'node:stream';
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
