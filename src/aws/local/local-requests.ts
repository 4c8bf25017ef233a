import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, requestAttempts } from '../connection.ts';

/** As in `src/cloud/host/endpoint.ts`: an import of it reads every export, which takes 40 ms. */
const { Agent, request } = process.getBuiltinModule('node:http');

/** One request to the embedded cloud. */
export interface LocalRequest {
  readonly service: 's3' | 'sqs' | 'lambda';
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Encoded, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Milliseconds without an answer after which the request has failed. @default 60_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Its answer, read to the end. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const timeoutMs = 60_000;
const firstWaitMs = 50;

/**
 * Requests to the embedded cloud without the SDK: loading it takes longer than the whole job of one item, and each of its first hundred
 * calls four times the processor time. Nothing is signed, since the embedded cloud only asks whose key it is.
 */
export class LocalRequests {
  readonly #connection: Connection;
  /** Where the cloud was when it was last asked. */
  #at: { readonly endpoint: string; readonly hostname: string; readonly port: string } | undefined;
  readonly #trace: () => string | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 50 });

  /** @param trace tells the invocation that asks, by which Lambda finds recursion; the SDK sends the same header. @default none */
  constructor(connection: Connection, trace: () => string | undefined = () => undefined) {
    this.#connection = connection;
    this.#trace = trace;
  }

  /** Asks until there is an answer that is no trouble of the server. @throws Error when all tries have failed; the signal's reason */
  send(asked: LocalRequest): Promise<LocalAnswer> {
    return this.#untilAnswered(asked, async () => {
      const answer = await this.once(asked);
      if (isTrouble(answer.status)) throw failureOf(asked, answer);
      return answer;
    });
  }

  /** The same for an answer that is read as it comes: the caller reads its body, or destroys it. @throws as {@link send} */
  stream(asked: LocalRequest): Promise<IncomingMessage> {
    return this.#untilAnswered(asked, async () => {
      const response = await this.#open(asked);
      if (isTrouble(response.statusCode ?? 0)) throw failureOf(asked, await readWhole(response));
      // Whoever reads may take its time.
      response.setTimeout(0);
      return response;
    });
  }

  async #untilAnswered<Answer>(asked: LocalRequest, act: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        asked.signal?.throwIfAborted();
        if (attempt === requestAttempts) throw error;
      }
      // An abort ends the wait early.
      await wait(firstWaitMs * 2 ** attempt * Math.random(), undefined, {
        ...(asked.signal && { signal: asked.signal }),
      }).catch(() => undefined);
      asked.signal?.throwIfAborted();
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Asks once, and reads the answer to its end. */
  async once(asked: LocalRequest): Promise<LocalAnswer> {
    return readWhole(await this.#open(asked));
  }

  #open({ service, method, path, headers, body, ...asked }: LocalRequest): Promise<IncomingMessage> {
    const { region, credentials } = this.#connection;
    const trace = this.#trace();
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#place();
      const sent = request({
        hostname,
        port,
        path,
        agent: this.#agent,
        method,
        timeout: asked.timeoutMs ?? timeoutMs,
        ...(asked.signal && { signal: asked.signal }),
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${credentials?.accessKeyId}/19700101/${region}/${service}/aws4_request`,
          ...(body && { 'content-length': body.byteLength }),
          ...(trace !== undefined && { 'x-amzn-trace-id': trace }),
          ...headers,
        },
      });
      sent.on('timeout', () => {
        const error = new Error(`expected ${method} ${path} to be answered, got no answer in time`);
        // By its code it is known as trouble that passes: a laptop slept, or the cloud's process was stopped for a while.
        sent.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
      });
      sent.on('error', reject);
      sent.on('response', resolve);
      sent.end(body);
    });
  }

  /** Who takes over the cloud may have to do so on another port. A URL would take dots of a path for folders, which are a part of a key. */
  #place(): { readonly hostname: string; readonly port: string } {
    const { endpoint = '' } = this.#connection;
    if (this.#at?.endpoint !== endpoint) {
      const { hostname, port } = new URL(endpoint);
      this.#at = { endpoint, hostname, port };
    }
    return this.#at;
  }
}

const isTrouble = (status: number): boolean => status >= 500 || status === 429;

/** Reads an answer to its end. */
export function readWhole(response: IncomingMessage): Promise<LocalAnswer> {
  const blocks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    response.on('data', (block: Buffer) => blocks.push(block));
    response.on('error', reject);
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(blocks) });
    });
  });
}

/** The error of an answer that nobody has a use for. */
export function failureOf({ method, path }: LocalRequest, { status, body }: LocalAnswer): Error {
  const text = body.toString().slice(0, 1_000);
  return Object.assign(new Error(`expected ${method} ${path} to succeed, got status ${status}: ${text}`), {
    statusCode: status,
  });
}
