import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Authorize } from '../../../src/cloud/host/access.ts';
import type { Disturb } from '../../../src/cloud/host/disturb.ts';
import { type Endpoint, openEndpoint } from '../../../src/cloud/host/endpoint.ts';
import type { Invoke } from '../../../src/cloud/lambda/invoke-api.ts';

/** A real endpoint on a port of its own, with clients of it. */
export interface EndpointFixture {
  readonly stateDir: string;
  readonly endpoint: Endpoint;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  /** What every SDK client of the endpoint is made with. */
  readonly settings: ClientSettings;
  close(): Promise<void>;
}

export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
}

/** Opens an endpoint over a new state folder (or a given one), with the bucket `bucket`. */
export async function openFixture(
  options: {
    readonly authorize?: Authorize;
    readonly invoke?: Invoke;
    readonly stateDir?: string;
    readonly port?: number;
    readonly disturb?: Disturb;
  } = {},
): Promise<EndpointFixture> {
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'fanloop-endpoint-')));
  const endpoint = await openEndpoint({
    stateDir,
    authorize: options.authorize ?? (() => true),
    invoke: options.invoke ?? (async ({ payload }) => ({ status: 200, payload })),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.disturb && { disturb: options.disturb }),
  });
  endpoint.createBucket('bucket');
  const credentials = { accessKeyId: 'PERSON', secretAccessKey: 'secret' };
  const settings = { endpoint: endpoint.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const sqs = new SQSClient(settings);
  return {
    stateDir,
    endpoint,
    s3,
    sqs,
    settings,
    async close() {
      s3.destroy();
      sqs.destroy();
      await endpoint.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** The answer to a request that no SDK would send. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends a request byte for byte. */
export function sendRaw(url: string, options: ClientRequestArgs, body: string | Uint8Array = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, ...options }, (answer) => {
      const parts: Uint8Array[] = [];
      answer.on('data', (part: Uint8Array) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(parts).toString('utf8'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Name and HTTP status of the error that a call of an SDK ends with. */
export async function failureOf(
  call: Promise<unknown>,
): Promise<{ readonly name: string; readonly status: number | undefined }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Errors of the SDK carry their answer's metadata.
    return {
      name: error.name,
      status: (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode,
    };
  }
  throw new Error('expected the call to fail, got an answer');
}
