import { randomUUID } from 'node:crypto';
import { S3InputReader } from '../aws/input-reader.ts';
import { JobStore } from '../aws/job-store.ts';
import { s3Client } from '../aws/s3.ts';
import { SqsQueue, sqsClient } from '../aws/work-queue.ts';
import { countingLog } from './counting-log.ts';
import { parseEnvironment } from './environment.ts';
import { jsonLog, systemClock, systemRandom, threadCpuMs } from './system.ts';

/** Makes what every function of the stack needs, once for its environment, from the variables that the stack sets. */
export function functionDeps(variables: Readonly<Record<string, string | undefined>>) {
  const environment = parseEnvironment(variables);
  const s3 = s3Client({});
  const sqs = sqsClient({});
  // The clients load TLS when they first need it; where they will, it loads now, while Lambda gives a function more of a processor.
  if (variables['AWS_ENDPOINT_URL']?.startsWith('http:') !== true) process.getBuiltinModule('node:https');
  return {
    environment,
    store: new JobStore(s3, environment.bucket),
    input: new S3InputReader(s3),
    workQueue: new SqsQueue(sqs, environment.workQueueUrl),
    tickQueue: new SqsQueue(sqs, environment.tickQueueUrl),
    clock: systemClock,
    random: systemRandom,
    cpuMs: threadCpuMs,
    log: countingLog(jsonLog, environment.name, systemClock),
    leaseSeconds: environment.leaseSeconds,
    isDepthExact: environment.isDepthExact,
    holdSeconds: environment.holdSeconds,
    checkpointMs: environment.checkpointMs,
    stack: {
      bucket: environment.bucket,
      workers: environment.workers,
      workerMemoryMb: environment.workerMemoryMb,
      bundleHash: environment.bundleHash,
    },
  };
}

/** A name that no other invocation has; short, since segments and results carry it. */
export function newWriter(): string {
  return randomUUID().slice(0, 13);
}
