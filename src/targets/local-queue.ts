import type { Queue } from '../ports.ts';
import { failureOf, type LocalRequests } from './local-requests.ts';

/** Sends to a queue of the embedded cloud without the SDK: a turn that is due is one message or two. */
export function sendLocal(requests: LocalRequests, queueUrl: string): Queue['send'] {
  return async (bodies, { group, delaySeconds = 0 }) => {
    for (const body of bodies) {
      const message = { QueueUrl: queueUrl, MessageBody: body, MessageGroupId: group, DelaySeconds: delaySeconds };
      const asked = {
        service: 'sqs',
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
        body: Buffer.from(JSON.stringify(message)),
      } as const;
      const answer = await requests.send(asked);
      if (answer.status !== 200) throw failureOf(asked, answer);
    }
  };
}
