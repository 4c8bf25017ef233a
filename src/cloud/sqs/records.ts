import { createHash } from 'node:crypto';
import type { Delivery } from '../model/message.ts';
import { type Json, objectOf } from './json.ts';
import { attributesMd5 } from './message-attributes.ts';
import { systemAttributes } from './receive.ts';

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
  readonly md5OfMessageAttributes?: string;
}

/** A delivery as an event carries it. */
export function recordOf(delivery: Delivery): SqsRecordData {
  const { messageId, receiptHandle, body } = delivery;
  const attributes = objectOf(delivery.notes['attributes']);
  return {
    messageId,
    receiptHandle,
    body,
    md5OfBody: createHash('md5').update(body).digest('hex'),
    attributes: systemAttributes(delivery),
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, eventAttribute(value)]),
    ),
    ...(Object.keys(attributes).length > 0 && { md5OfMessageAttributes: attributesMd5(attributes) }),
  };
}

/** In events the fields begin in lower case. */
function eventAttribute(value: unknown): Json {
  return Object.fromEntries(
    Object.entries(objectOf(value)).map(([name, field]) => [name.charAt(0).toLowerCase() + name.slice(1), field]),
  );
}
