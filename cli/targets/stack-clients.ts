import { LambdaClient } from '@aws-sdk/client-lambda';
import { type Connection, clientSettings } from '../../adapters/connection.ts';
import { invokeFanOut } from '../../adapters/fan-out-function.ts';
import { JobStore } from '../../adapters/job-store.ts';
import { s3Client } from '../../adapters/s3.ts';
import { systemClock } from '../../adapters/system.ts';
import { SqsQueue, sqsClient } from '../../adapters/work-queue.ts';
import { stackOutputs } from '../../core/environment.ts';
import type { Target } from './target.ts';
import { uploadBlocks } from './upload.ts';

/** What all targets have in common, made from a stack's outputs. */
export function openStack(
  connection: Connection,
  outputs: Readonly<Record<string, string>>,
): Omit<Target, 'name' | 'outlivesProcess'> {
  const output = (name: string): string => {
    const value = outputs[name];
    if (value === undefined)
      throw new Error(`expected the stack to have the output ${name}; deploy it again by this version`);
    return value;
  };
  const bucket = output(stackOutputs.bucket);
  const fanOutFunction = output(stackOutputs.fanOutFunction);
  const s3 = s3Client(connection);
  const sqs = sqsClient(connection);
  const lambda = new LambdaClient(clientSettings(connection));
  return {
    bucket,
    workers: Number(output(stackOutputs.workers)),
    steer: {
      store: new JobStore(s3, bucket),
      tickQueue: new SqsQueue(sqs, output(stackOutputs.tickQueueUrl)),
      clock: systemClock,
    },
    upload: (key, blocks, signal) => uploadBlocks(s3, { Bucket: bucket, Key: key }, { blocks, signal }),
    startJob: (request) => invokeFanOut(lambda, fanOutFunction, request),
    close: async () => {
      for (const client of [s3, sqs, lambda]) client.destroy();
    },
  };
}
