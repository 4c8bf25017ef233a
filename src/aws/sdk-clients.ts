import type { Clients } from './clients.ts';
import { S3InputReader } from './input-reader.ts';
import { JobStore } from './job-store.ts';
import { s3Client } from './s3.ts';
import { SqsQueue, sqsClient } from './work-queue.ts';

/** The clients of a function by the SDK, which finds its credentials and its region itself. */
export function sdkClients(): Clients {
  const s3 = s3Client({});
  const sqs = sqsClient({});
  return {
    store: (bucket) => new JobStore(s3, bucket),
    input: new S3InputReader(s3),
    queue: (url) => new SqsQueue(sqs, url),
  };
}
