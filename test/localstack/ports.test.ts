import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { beforeAll, inject } from 'vitest';
import { JobStore } from '../../src/aws/job-store.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { SqsQueue, sqsClient } from '../../src/aws/work-queue.ts';
import { losingAnswers } from '../contract/losing-answers.ts';
import { describePorts } from '../contract/ports.ts';
import '../support/localstack.ts';

const connection = inject('localStack');
const s3 = s3Client(connection);
const sqs = sqsClient(connection);
const bucket = `contract-${randomUUID()}`;
beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

const makeQueue = async (attributes: Record<string, string> = {}): Promise<{ url: string; arn: string }> => {
  const { QueueUrl: url = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `contract-${randomUUID()}`, Attributes: attributes }),
  );
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }));
  return { url, arn: Attributes?.['QueueArn'] ?? '' };
};

describePorts('LocalStack', () => ({
  isFair: false,
  store: new JobStore(s3, bucket),
  losesAnswer: losingAnswers(connection, bucket),
  queue: async ({ maxReceiveCount = 5 } = {}) => {
    const dead = await makeQueue();
    const { url } = await makeQueue({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount }),
    });
    return { queue: new SqsQueue(sqs, url), deadLetters: new SqsQueue(sqs, dead.url) };
  },
  pass: (ms) => wait(ms),
}));
