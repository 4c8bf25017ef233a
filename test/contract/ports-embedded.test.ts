import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { JobStore } from '../../src/aws/job-store.ts';
import { LocalQueue } from '../../src/aws/local/local-queue.ts';
import { LocalRequests } from '../../src/aws/local/local-requests.ts';
import { LocalStore } from '../../src/aws/local/local-store.ts';
import { SqsQueue } from '../../src/aws/work-queue.ts';
import { type EndpointFixture, openFixture } from '../cloud/host/endpoint-fixture.ts';
import { losingAnswers } from './losing-answers.ts';
import { describePorts, describeStore } from './ports.ts';

let cloud: EndpointFixture;
beforeAll(async () => {
  cloud = await openFixture();
});
afterAll(() => cloud.close());
let queues = 0;

describePorts('the embedded cloud over HTTP', () => ({
  isFair: true,
  store: new JobStore(cloud.s3, 'bucket'),
  losesAnswer: losingAnswers(cloud.settings, 'bucket'),
  queue: async ({ maxReceiveCount = 5 } = {}) => {
    const name = `contract-${++queues}`;
    const dead = await cloud.endpoint.createQueue(`${name}-dead`);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
    const { url } = await cloud.endpoint.createQueue(name, { RedrivePolicy });
    return { queue: new SqsQueue(cloud.sqs, url), deadLetters: new SqsQueue(cloud.sqs, dead.url) };
  },
  pass: (ms) => wait(ms),
}));

describePorts('the embedded cloud without the SDK', () => {
  const requests = new LocalRequests(cloud.settings);
  return {
    isFair: true,
    store: new LocalStore(requests, 'bucket'),
    queue: async ({ maxReceiveCount = 5 } = {}) => {
      const name = `contract-${++queues}`;
      const dead = await cloud.endpoint.createQueue(`${name}-dead`);
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
      const { url } = await cloud.endpoint.createQueue(name, { RedrivePolicy });
      return { queue: new LocalQueue(requests, url), deadLetters: new LocalQueue(requests, dead.url) };
    },
    pass: (ms) => wait(ms),
  };
});

describeStore('the embedded cloud of this process', () => ({
  store: new LocalStore(new LocalRequests(cloud.settings), 'bucket', () => cloud.endpoint.readObject),
}));
