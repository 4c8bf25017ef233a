import { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { JobStore } from '../aws/job-store.ts';
import { s3Client } from '../aws/s3.ts';
import { SqsQueue, sqsClient } from '../aws/work-queue.ts';
import type { FanOutAnswer, FanOutRequest } from '../format/request.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system.ts';
import { fanOutTimeouts, invokeFanOut } from './fan-out-function.ts';
import type { SteerDeps } from './steer.ts';

/** A stack that is there, as a program outside of it uses it. */
export interface OpenStack {
  readonly bucket: string;
  /** Workers that run at once. */
  readonly workers: number;
  readonly s3: S3Client;
  /** The jobs' folders, and the queue that moves them. */
  readonly steer: SteerDeps;
  /** Invokes the fan-out function. @throws UsageError what the function refused */
  startJob(request: FanOutRequest): Promise<FanOutAnswer>;
  /** Closes the connections. */
  close(): void;
}

/** Makes a stack's clients from its outputs. @throws Error when an output is absent */
export function openStack(connection: Connection, outputs: Readonly<Record<string, string>>): OpenStack {
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
  const lambda = new LambdaClient({ ...clientSettings(connection), requestHandler: fanOutTimeouts });
  return {
    bucket,
    workers,
    s3,
    steer: { store: new JobStore(s3, bucket), tickQueue: new SqsQueue(sqs, tickQueueUrl), clock: systemClock },
    startJob: (request) => invokeFanOut(lambda, fanOutFunction, request),
    close: () => {
      for (const client of [s3, sqs, lambda]) client.destroy();
    },
  };
}
