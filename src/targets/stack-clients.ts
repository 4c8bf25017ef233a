import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { S3InputReader } from '../aws/input-reader.ts';
import { JobStore } from '../aws/job-store.ts';
import { s3Client } from '../aws/s3.ts';
import { SqsQueue, sqsClient } from '../aws/work-queue.ts';
import { askToStart } from '../client/patience.ts';
import type { Stack } from '../client/stack.ts';
import { writeObject } from '../connectors/files/object-upload.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { systemClock, systemRandom } from '../runtime/system.ts';
import { fanOutTimeoutMs, invokeFanOut, type SendInvocation } from './fan-out-function.ts';

/** Makes a stack's clients from its outputs. @throws Error when an output is absent */
export function connectStack(
  connection: Connection,
  outputs: Readonly<Record<string, string>>,
  place: { readonly outlivesProcess: () => boolean; readonly close?: () => Promise<void> },
): Stack {
  const output = (name: string): string => {
    const value = outputs[name];
    if (value === undefined)
      throw new Error(`expected the stack to have the output ${name}; deploy it again by this version`);
    return value;
  };
  const bucket = output(stackOutputs.bucket);
  const workers = Number(output(stackOutputs.workers));
  const tickQueueUrl = output(stackOutputs.tickQueueUrl);
  const fanOutFunction = output(stackOutputs.fanOutFunction);
  const s3 = s3Client(connection);
  const sqs = sqsClient(connection);
  const lambda = new LambdaClient({
    ...clientSettings(connection),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: fanOutTimeoutMs, throwOnRequestTimeout: true },
  });
  const send: SendInvocation = async (Payload, abortSignal) => {
    const command = new InvokeCommand({ FunctionName: fanOutFunction, InvocationType: 'RequestResponse', Payload });
    const answer = await lambda.send(command, { abortSignal });
    return { payload: answer.Payload?.transformToString(), functionError: answer.FunctionError };
  };
  return {
    store: new JobStore(s3, bucket),
    tickQueue: new SqsQueue(sqs, tickQueueUrl),
    clock: systemClock,
    random: systemRandom,
    input: new S3InputReader(s3),
    bucket,
    workers,
    outlivesProcess: place.outlivesProcess,
    upload: async (key, blocks, { signal, metadata }) => {
      const patiently = <Answer>(ask: () => Promise<Answer>) => askToStart({ clock: systemClock, signal }, ask);
      await writeObject(s3, { bucket, key }, { blocks: asBuffers(blocks), signal, metadata, patiently });
    },
    invoke: (request, signal) => invokeFanOut(send, request, signal),
    close: async () => {
      for (const client of [s3, sqs, lambda]) client.destroy();
      await place.close?.();
    },
  };
}

async function* asBuffers(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const block of blocks) yield Buffer.from(block.buffer, block.byteOffset, block.byteLength);
}
