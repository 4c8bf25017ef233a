import { type Json, objectOf, objectsOf, type SqsAnswer, textOf } from './sqs-json.ts';
import type { SqsQueues } from './sqs-queues.ts';

/** A received message, as an event source gives it to a function. */
export interface SqsRecordData {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  /** ApproximateReceiveCount, SentTimestamp, ApproximateFirstReceiveTimestamp, SenderId, and where given MessageGroupId and AWSTraceHeader. */
  readonly attributes: Readonly<Record<string, string>>;
  /** In the names of an event: `stringValue`, `dataType`, … */
  readonly messageAttributes: Readonly<Record<string, Json>>;
}

const never = new AbortController().signal;

/** Takes visible messages, at most ten; empty at once where there are none. @throws Error when SQS refuses. */
export async function receiveRecords(
  queues: SqsQueues,
  queueUrl: string,
  { max, visibilitySeconds }: { readonly max: number; readonly visibilitySeconds?: number },
): Promise<readonly SqsRecordData[]> {
  const received = await queues.call(
    'ReceiveMessage',
    {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(max, 10),
      WaitTimeSeconds: 0,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
      ...(visibilitySeconds === undefined ? {} : { VisibilityTimeout: visibilitySeconds }),
    },
    { signal: never },
  );
  return objectsOf(succeeded(received).body['Messages']).map(recordOf);
}

/** Deletes messages. @throws Error when SQS refuses. */
export async function deleteRecords(
  queues: SqsQueues,
  queueUrl: string,
  receiptHandles: readonly string[],
): Promise<void> {
  for (const handle of receiptHandles) {
    succeeded(await queues.call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: handle }, { signal: never }));
  }
}

function succeeded(answered: SqsAnswer): SqsAnswer {
  if (answered.status !== 200) throw new Error(`expected SQS to answer, got ${JSON.stringify(answered.body)}`);
  return answered;
}

function recordOf(message: Json): SqsRecordData {
  return {
    messageId: textOf(message['MessageId']),
    receiptHandle: textOf(message['ReceiptHandle']),
    body: textOf(message['Body']),
    md5OfBody: textOf(message['MD5OfBody']),
    attributes: Object.fromEntries(
      Object.entries(objectOf(message['Attributes'])).map(([name, value]) => [name, String(value)]),
    ),
    messageAttributes: Object.fromEntries(
      Object.entries(objectOf(message['MessageAttributes'])).map(([name, value]) => [name, eventAttribute(value)]),
    ),
  };
}

/** In events the fields begin in lower case. */
function eventAttribute(value: unknown): Json {
  return Object.fromEntries(
    Object.entries(objectOf(value)).map(([name, field]) => [name.charAt(0).toLowerCase() + name.slice(1), field]),
  );
}
