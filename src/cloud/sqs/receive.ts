import { createHash } from 'node:crypto';
import type { Delivery } from '../model/message.ts';
import { numberOf } from './attributes.ts';
import type { QueueCall } from './call.ts';
import { answer, type Json, numberFrom, objectOf, refuse, type SqsAnswer, textOf, textsOf } from './json.ts';
import { attributesMd5 } from './message-attributes.ts';

/** ReceiveMessage; a long poll takes nothing for a client that has gone. */
export async function receiveMessage(input: Json, call: QueueCall): Promise<SqsAnswer> {
  const { queue, signal, closing, clock } = call;
  const max = numberFrom(input['MaxNumberOfMessages'] ?? 1);
  const waitSeconds = numberFrom(input['WaitTimeSeconds'] ?? numberOf(queue, 'ReceiveMessageWaitTimeSeconds'));
  const visibilitySeconds = numberFrom(input['VisibilityTimeout'] ?? numberOf(queue, 'VisibilityTimeout'));
  const problem =
    rangeProblem('MaxNumberOfMessages', max, [1, 10]) ??
    rangeProblem('WaitTimeSeconds', waitSeconds, [0, 20]) ??
    rangeProblem('VisibilityTimeout', visibilitySeconds, [0, 43_200]);
  if (problem !== undefined) return problem;
  const over = new AbortController();
  const cancel = waitSeconds === 0 ? undefined : clock.after(waitSeconds * 1_000, () => over.abort());
  const ended = AbortSignal.any([signal, closing, over.signal]);
  try {
    while (!signal.aborted && !closing.aborted) {
      const deliveries = queue.model.receive({ max, visibilitySeconds });
      if (deliveries.length > 0)
        return answer({ Messages: deliveries.map((delivery) => written(delivery, input, call)) });
      if (waitSeconds === 0 || ended.aborted) break;
      // The end of the wait is no failure.
      await queue.model.readiness.whenReady(ended).catch(() => undefined);
    }
    return answer({});
  } finally {
    cancel?.();
  }
}

/** Refuses a number out of its range. */
export function rangeProblem(
  name: string,
  value: number,
  [least, most]: readonly [number, number],
): SqsAnswer | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  const message = `Value ${value} for parameter ${name} is invalid. Reason: Must be >= ${least} and <= ${most}, if provided.`;
  return refuse('InvalidParameterValue', message);
}

function written(delivery: Delivery, input: Json, { receiver, holds }: QueueCall): Json {
  if (receiver !== undefined) holds(receiver, delivery.receiptHandle);
  const wanted = [...textsOf(input['AttributeNames']), ...textsOf(input['MessageSystemAttributeNames'])];
  const attributes = Object.entries(systemAttributes(delivery)).filter(
    ([name]) => wanted.includes('All') || wanted.includes(name),
  );
  const names = textsOf(input['MessageAttributeNames']);
  const own = Object.entries(objectOf(delivery.notes['attributes'])).filter(([name]) => isNamed(name, names));
  return {
    MessageId: delivery.messageId,
    ReceiptHandle: delivery.receiptHandle,
    Body: delivery.body,
    MD5OfBody: createHash('md5').update(delivery.body).digest('hex'),
    ...(attributes.length > 0 && { Attributes: Object.fromEntries(attributes) }),
    ...(own.length > 0 && {
      MessageAttributes: Object.fromEntries(own),
      MD5OfMessageAttributes: attributesMd5(Object.fromEntries(own)),
    }),
  };
}

/** The attributes that SQS gives a message. */
export function systemAttributes(delivery: Delivery): Readonly<Record<string, string>> {
  const { receiveCount, sentAt, firstReceivedAt, group, notes } = delivery;
  const trace = textOf(notes['trace']);
  return {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(Math.floor(sentAt)),
    ApproximateFirstReceiveTimestamp: String(Math.floor(firstReceivedAt)),
    SenderId: 'embedded',
    ...(group !== undefined && { MessageGroupId: group }),
    ...(trace !== '' && { AWSTraceHeader: trace }),
  };
}

/** `All`, `.*`, a name, or a prefix as `foo.*`. */
function isNamed(name: string, wanted: readonly string[]): boolean {
  return wanted.some(
    (one) => one === 'All' || one === name || (one.endsWith('.*') && name.startsWith(one.slice(0, -2))),
  );
}
