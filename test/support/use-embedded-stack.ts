import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetQueueAttributesCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach } from 'vitest';
import { type Owner, startOwner } from '../../src/cloud/host/cloud-owner.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { type HandMadeFunction, type HandMadeStack, temporaryFolder, writeStack } from './embedded-stack.ts';

/** The code of a function that the test steers: it posts each event to a server of the test, and does what that answers. */
const code = `
  const ask = async (told) => (await fetch(process.env.TEST_URL, { method: 'POST', body: JSON.stringify({ ...told, pid: process.pid }) })).json();
  const computeUntil = async (isEnough) => {
    while (!isEnough()) {
      for (const until = Date.now() + 50; Date.now() < until; );
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  export const handler = async (event, { places }) => {
    while (true) {
      const { answer, exit, throws, keep, computes } = await ask({ event, places: places?.held });
      if (exit !== undefined) process.exit(exit);
      if (throws !== undefined) throw new Error(throws);
      if (keep !== undefined) places.keep(keep);
      else if (computes !== undefined) await computeUntil(() => places.held === computes);
      else return answer;
    }
  };
`;

/** The event of an event source mapping, as far as tests look at it. */
export interface SqsEvent {
  readonly Records: ReadonlyArray<{
    readonly messageId: string;
    readonly body: string;
    readonly attributes: Readonly<Record<string, string>>;
  }>;
}

/** An invocation that waits for the test. */
export interface Call {
  readonly event: SqsEvent;
  readonly pid: number;
  /** How many places of its mapping it holds; absent where it has one. */
  readonly places?: number;
  /** Ends the invocation: with an answer, an exit, or an error. */
  readonly settle: (how: { readonly answer?: unknown; readonly exit?: number; readonly throws?: string }) => void;
  /** Lets it keep so many places, or compute until it has no more; then it asks again, by the next call. */
  readonly goOn: (how: { readonly keep: number } | { readonly computes: number }) => void;
}

/** Runs stacks made by hand, a fresh one for each test that starts one. */
export function useEmbeddedStack() {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: Server;
  let calls: Call[];
  let waiters: Array<(call: Call) => void>;
  let owner: Owner | undefined;

  beforeEach(async () => {
    folder = await temporaryFolder();
    calls = [];
    waiters = [];
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      // The function above wrote it.
      const told = JSON.parse(body) as Pick<Call, 'event' | 'pid' | 'places'>;
      const say = (how: object): void => void response.end(JSON.stringify(how));
      const call: Call = { ...told, settle: say, goOn: say };
      const waiter = waiters.shift();
      if (waiter === undefined) calls.push(call);
      else waiter(call);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  const close = async (): Promise<void> => {
    await owner?.close();
  };

  afterEach(async () => {
    await close();
    owner = undefined;
    server.close();
    server.closeAllConnections();
    await folder[Symbol.asyncDispose]();
  });

  const output = (logicalId: string): string => {
    const value = owner?.outputs[logicalId];
    if (value === undefined) throw new Error(`expected a stack that runs with ${logicalId}, got none`);
    return value;
  };
  const clientOptions = () => ({
    endpoint: owner?.url ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'me', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  const sqs = (): SQSClient => new SQSClient(clientOptions());

  return {
    close,
    output,
    sqs,
    lambda: (): LambdaClient => new LambdaClient(clientOptions()),
    stateDir: (): string => path.join(folder.path, 'state'),
    start: async (stack: HandMadeStack, eventDelaysMs?: readonly number[]): Promise<void> => {
      const source = await writeStack(folder.path, stack);
      owner = await startOwner({
        stateDir: path.join(folder.path, 'state'),
        clock: systemClock,
        synthesize: async () => source,
        ...(eventDelaysMs && { eventDelaysMs }),
      });
    },
    /** A function that the test steers. */
    steered: (properties: Readonly<Record<string, unknown>> = {}): HandMadeFunction => {
      // A server that listens on a port of TCP has such an address.
      const { port } = server.address() as AddressInfo;
      const Environment = { Variables: { TEST_URL: `http://127.0.0.1:${port}` } };
      return { code, properties: { MemorySize: 256, Timeout: 20, Environment, ...properties } };
    },
    /** The next invocation of a steered function. */
    nextCall: (): Promise<Call> => {
      const call = calls.shift();
      return call === undefined ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve(call);
    },
    send: (queueId: string, bodies: readonly string[]): Promise<unknown> =>
      sqs().send(
        new SendMessageBatchCommand({
          QueueUrl: output(queueId),
          Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
        }),
      ),
    /** Waits for messages and takes them. */
    receive: async (queueId: string): Promise<ReadonlyArray<string | undefined>> => {
      const { Messages = [] } = await sqs().send(
        new ReceiveMessageCommand({ QueueUrl: output(queueId), WaitTimeSeconds: 20 }),
      );
      return Messages.map(({ Body }) => Body);
    },
    /** Messages that are visible, and messages in flight. */
    depth: async (queueId: string): Promise<readonly number[]> => {
      const names: QueueAttributeName[] = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
      const { Attributes } = await sqs().send(
        new GetQueueAttributesCommand({ QueueUrl: output(queueId), AttributeNames: names }),
      );
      return names.map((name) => Number(Attributes?.[name]));
    },
  };
}

/** A redrive policy to the queue `Dead`. */
export function redrive(maxReceiveCount: number): Readonly<Record<string, unknown>> {
  return { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount };
}
