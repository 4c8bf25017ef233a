import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { StoredObject } from '../../ports.ts';
import { systemClock } from '../../runtime/system.ts';
import { openDatabase } from '../dynamodb/database.ts';
import { answerDatabase, isDatabase } from '../dynamodb/database-server.ts';
import { answerInvocation, type Invoke, isInvocation } from '../lambda/invoke-api.ts';
import { openObjectStore } from '../s3/object-store.ts';
import { readObject } from '../s3/read-object.ts';
import { answerS3 } from '../s3/server.ts';
import { openSqsQueues } from '../sqs/queues.ts';
import { recordOf, type SqsRecordData } from '../sqs/records.ts';
import { answerSqs, isSqs } from '../sqs/server.ts';
import type { TableDescription } from '../template/template-stack.ts';
import { type Authorize, queueArn } from './access.ts';
import { answerDisturbed, type Disturb } from './disturb.ts';
import { answerParameters, isParameters } from './parameters.ts';
import { answerSts, isSts } from './sts.ts';

/** Not by `import`, which reads every export of it, also those that load Node's own undici: 40 to 150 ms of each start. */
const { createServer } = process.getBuiltinModule('node:http');

/** What an endpoint is opened with. */
export interface EndpointOptions {
  /** Objects are kept in its folder `s3`, tables in `dynamodb`; the caller owns the folder (see state-folder.ts). */
  readonly stateDir: string;
  /** Wanted port; another one is taken where it is not free. @default any free port */
  readonly port?: number;
  readonly authorize: Authorize;
  readonly invoke: Invoke;
  /** Lets requests go wrong. @default none does */
  readonly disturb?: Disturb;
}

/** Reads an object whole; undefined where none is. */
export type ReadObject = (bucket: string, key: string) => Promise<StoredObject | undefined>;

/** The server of the embedded cloud: S3, SQS, DynamoDB, STS, Systems Manager's parameters, and Lambda's Invoke API on one port of loopback. */
export interface Endpoint {
  readonly url: string;
  readonly port: number;
  /** Makes a queue with SQS's attributes, as `RedrivePolicy`. @throws Error when SQS refuses them. */
  createQueue(
    name: string,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string; readonly arn: string }>;
  /** Makes a bucket, or does nothing where it exists. */
  createBucket(name: string): void;
  /** Makes a table before the first call of DynamoDB, or does nothing where it exists. */
  createTable(table: TableDescription): void;
  /** Takes visible messages, at most ten; resolves at once, empty where there are none. */
  receive(
    queueUrl: string,
    options: { readonly max: number; readonly visibilitySeconds?: number },
  ): Promise<readonly SqsRecordData[]>;
  /** Resolves when the queue may have a visible message, at once where it may have one now. Rejects with the signal's reason. */
  whenReady(queueUrl: string, signal: AbortSignal): Promise<void>;
  /** Deletes messages by the handles of their delivery. */
  deleteMessages(queueUrl: string, receiptHandles: readonly string[]): Promise<void>;
  /** Shows messages again after a time that are in flight, by the handles of their delivery. */
  showMessages(queueUrl: string, receiptHandles: readonly string[], delaySeconds: number): void;
  /** Reads an object without a request, for this process itself; undefined where requests go wrong, so that this one can, too. */
  readonly readObject: ReadObject | undefined;
  /** Tells the key of each object of the stack's buckets as it is stored whole; the answer ends it. */
  onStored(listener: (key: string) => void): () => void;
  /** Shows again what somebody has in flight that has died, known by the access key of its calls. */
  releaseHeld(receiver: string, delaySeconds: number): void;
  /** Stops to listen, ends long polls, and closes all connections. */
  close(): Promise<void>;
}

/** Idle connections are kept longer than the SDK's clients keep them, so that no request meets a connection that is just being closed. */
const keepAliveMs = 120_000;

/** Opens the server of the embedded cloud. @throws Error when it cannot listen on loopback. */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { stateDir, port = 0, authorize, invoke, disturb } = options;
  const store = openObjectStore(join(stateDir, 's3'));
  const queues = openSqsQueues(() => url, systemClock);
  const database = openDatabase(join(stateDir, 'dynamodb'));
  const running = new Set<Promise<void>>();
  const listeners = new Set<(key: string) => void>();
  const closed = Promise.withResolvers<void>();

  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isSqs(request)) return answerSqs(request, response, { queues, authorize });
    if (isDatabase(request)) return answerDatabase(request, response, { database, authorize });
    // An invocation may go on for minutes; closing does not wait for it.
    if (isInvocation(request))
      return Promise.race([answerInvocation(request, response, { invoke, authorize }), closed.promise]);
    if (isParameters(request)) return answerParameters(request, response, { authorize });
    if (isSts(request)) return answerSts(request, response);
    return answerS3(request, response, { store, authorize }).then(() => tellOf(request, response));
  };
  const tellOf = (request: IncomingMessage, response: ServerResponse): void => {
    const [, key, query = ''] = /^\/[^/?]+\/([^?]+)\??(.*)$/.exec(request.url ?? '') ?? [];
    // A part of an upload stores nothing yet; its completion does.
    const stores = request.method === (query.includes('uploadId=') ? 'POST' : 'PUT');
    if (key === undefined || !stores || response.statusCode !== 200) return;
    for (const listener of listeners) listener(decodeURIComponent(key));
  };

  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (request, response) => {
    const disturbance = disturb?.(request);
    const answered =
      disturbance === undefined
        ? answer(request, response)
        : answerDisturbed(request, response, { disturbance, answer: () => answer(request, response) });
    const task = answered.catch((error: unknown) => answerFailure(response, error));
    running.add(task);
    void task.finally(() => running.delete(task));
  });
  await listen(server, port);
  // A server that listens on a port of TCP has such an address.
  const actualPort = (server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${actualPort}`;

  return {
    url,
    port: actualPort,
    async createQueue(name, attributes = {}) {
      const made = await queues.call(
        'CreateQueue',
        { QueueName: name, Attributes: attributes },
        { signal: AbortSignal.any([]) },
      );
      if (made.status !== 200)
        throw new Error(`expected SQS to make the queue ${name}, got ${JSON.stringify(made.body)}`);
      return { url: String(made.body['QueueUrl']), arn: queueArn(name) };
    },
    createBucket: (name) => store.createBucket(name),
    createTable: (table) => database.createTable(table),
    receive: async (queueUrl, options) => queues.queue(queueUrl).model.receive(options).map(recordOf),
    whenReady: (queueUrl, signal) => queues.queue(queueUrl).model.readiness.whenReady(signal),
    deleteMessages: async (queueUrl, handles) => {
      for (const handle of handles) queues.queue(queueUrl).model.delete(handle);
    },
    showMessages: (queueUrl, handles, delaySeconds) => {
      for (const handle of handles) queues.queue(queueUrl).model.changeVisibility(handle, delaySeconds);
    },
    readObject: disturb === undefined ? (bucket, key) => readObject(store, bucket, key) : undefined,
    onStored: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    releaseHeld: (receiver, delaySeconds) => queues.release(receiver, delaySeconds),
    async close() {
      const stopped = once(server, 'close');
      server.close();
      closed.resolve();
      await queues.close();
      server.closeAllConnections();
      await stopped;
      await Promise.all(running);
      await database.close();
    },
  };
}

function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({
    __type: 'InternalFailure',
    message: error instanceof Error ? error.message : String(error),
  });
  response.writeHead(500, { 'content-type': 'application/json' });
  response.end(body);
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    if (port === 0 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
}
