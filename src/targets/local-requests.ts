import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, requestAttempts } from '../aws/connection.ts';

/** As in `endpoint.ts`: an import of it reads every export, which takes 40 ms. */
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
 * Requests to the embedded cloud without the SDK: loading it takes longer than the whole job of one item, and each of its first calls
 * longer than such a job's call. Nothing is signed, since the embedded cloud only asks whose key it is.
 */
export class LocalRequests {
  readonly #connection: Connection;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 50 });

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Asks until there is an answer that is no trouble of the server. @throws Error when all tries have failed; the signal's reason */
  async send(asked: LocalRequest): Promise<LocalAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#once(asked);
        if (answer.status < 500 && answer.status !== 429) return answer;
        throw failureOf(asked, answer);
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

  #once({ service, method, path, headers, body, ...asked }: LocalRequest): Promise<LocalAnswer> {
    const { endpoint, region, credentials } = this.#connection;
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, endpoint), {
        agent: this.#agent,
        method,
        timeout: asked.timeoutMs ?? timeoutMs,
        ...(asked.signal && { signal: asked.signal }),
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${credentials?.accessKeyId}/19700101/${region}/${service}/aws4_request`,
          ...(body && { 'content-length': body.byteLength }),
          ...headers,
        },
      });
      sent.on('timeout', () => {
        const error = new Error(`expected ${method} ${path} to be answered, got no answer in time`);
        // By its code it is known as trouble that passes: a laptop slept, or the cloud's process was stopped for a while.
        sent.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const blocks: Buffer[] = [];
        response.on('data', (block: Buffer) => blocks.push(block));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(blocks) });
        });
      });
      sent.end(body);
    });
  }
}

/** The error of an answer that nobody has a use for. */
export function failureOf({ method, path }: LocalRequest, { status, body }: LocalAnswer): Error {
  const text = body.toString().slice(0, 1_000);
  return Object.assign(new Error(`expected ${method} ${path} to succeed, got status ${status}: ${text}`), {
    statusCode: status,
  });
}
