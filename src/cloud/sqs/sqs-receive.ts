import { createHash } from 'node:crypto';
import { answer, type Json, objectOf, objectsOf, type SqsAnswer, textOf, textsOf } from './sqs-json.ts';
import { type MessageNotes, type QueueState, redriveOf, type SqsShared } from './sqs-queue.ts';

/** What a receive needs beside its input. */
export interface ReceiveContext extends SqsShared {
  readonly queue: QueueState;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * ReceiveMessage. Waiting is done here, not by fauxqs, which would take messages for a client that has gone: they would
 * be hidden for the whole visibility timeout.
 */
export async function receiveMessage(input: Json, context: ReceiveContext): Promise<SqsAnswer> {
  const { queue, signal, closing } = context;
  const waitSeconds = Number(input['WaitTimeSeconds'] ?? queue.attributes['ReceiveMessageWaitTimeSeconds'] ?? 0);
  if (!(waitSeconds >= 0 && waitSeconds <= 20)) return context.ask('ReceiveMessage', input);
  if (waitSeconds === 0) return receiveOnce(input, context);
  const ended = AbortSignal.any([signal, closing, AbortSignal.timeout(waitSeconds * 1_000)]);
  while (true) {
    const received = await receiveOnce(input, context);
    if (received.status !== 200 || received.body['Messages'] !== undefined) return received;
    try {
      await queue.readiness.whenReady(ended);
    } catch {
      return received;
    }
  }
}

async function receiveOnce(input: Json, context: ReceiveContext): Promise<SqsAnswer> {
  const { queue, ask } = context;
  const mark = queue.readiness.mark();
  const everything = { WaitTimeSeconds: 0, AttributeNames: [], MessageSystemAttributeNames: ['All'] };
  const received = await ask('ReceiveMessage', { ...input, ...everything });
  if (received.status !== 200) return received;
  const delivered = objectsOf(received.body['Messages']);
  const seconds = Number(input['VisibilityTimeout'] ?? queue.attributes['VisibilityTimeout']);
  const until = Date.now() + seconds * 1_000;
  const messages: Json[] = [];
  for (const message of delivered) {
    const isDeleted = queue.deleted.delete(textOf(message['MessageId']));
    if (!isDeleted) messages.push(noteDelivery(message, { ...context, until }));
    else await ask('DeleteMessage', { QueueUrl: input['QueueUrl'], ReceiptHandle: message['ReceiptHandle'] });
  }
  wakeDeadLetters(messages, context);
  if (delivered.length < Number(input['MaxNumberOfMessages'] ?? 1)) queue.readiness.emptied(mark);
  // Only deleted messages came: there may be others behind them.
  if (messages.length === 0 && delivered.length > 0) return receiveOnce(input, context);
  const wanted = [...textsOf(input['AttributeNames']), ...textsOf(input['MessageSystemAttributeNames'])];
  return answer(messages.length === 0 ? {} : { Messages: messages.map((message) => withAttributes(message, wanted)) });
}

/** Remembers a delivery, and completes the message by what fauxqs did not keep. */
function noteDelivery(message: Json, context: ReceiveContext & { readonly until: number }): Json {
  const { queue, notes, until } = context;
  const messageId = textOf(message['MessageId']);
  const handle = textOf(message['ReceiptHandle']);
  const known: MessageNotes = notes.get(messageId) ?? {};
  if (known.handle !== undefined) queue.deliveries.delete(known.handle);
  known.handle = handle;
  notes.set(messageId, known);
  queue.deliveries.set(handle, { messageId, until });
  queue.readiness.expect(until);
  return {
    ...message,
    ...(known.body === undefined ? {} : { Body: known.body, MD5OfBody: md5(known.body) }),
    Attributes: {
      ...objectOf(message['Attributes']),
      ...(known.group === undefined ? {} : { MessageGroupId: known.group }),
      ...(known.trace === undefined ? {} : { AWSTraceHeader: known.trace }),
    },
  };
}

/** fauxqs moves messages without a delivery left when it is asked for others; who waits for dead letters has to look then. */
function wakeDeadLetters(messages: readonly Json[], { queue, queues }: ReceiveContext): void {
  const redrive = redriveOf(queue);
  if (redrive === undefined) return;
  if (queue.mayRedrive) queues.get(redrive.deadLetterName)?.readiness.arrived();
  queue.mayRedrive ||= messages.some((message) => {
    return Number(objectOf(message['Attributes'])['ApproximateReceiveCount']) >= redrive.maxReceiveCount;
  });
}

function withAttributes(message: Json, wanted: readonly string[]): Json {
  const { Attributes, ...rest } = message;
  const isWanted = ([name]: [string, unknown]): boolean => wanted.includes('All') || wanted.includes(name);
  const attributes = Object.entries(objectOf(Attributes)).filter(isWanted);
  return attributes.length === 0 ? rest : { ...rest, Attributes: Object.fromEntries(attributes) };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
