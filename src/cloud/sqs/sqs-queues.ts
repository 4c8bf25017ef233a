import { buildApp } from 'fauxqs';
import { accountId } from '../host/access.ts';
import { changeVisibility, changeVisibilityBatch, deleteMessage, deleteMessageBatch } from './sqs-deliveries.ts';
import { answer, type Json, objectOf, refuse, type SqsAnswer, textOf, textsOf } from './sqs-json.ts';
import { forgetMessages, openQueueState, type QueueState, type SqsShared } from './sqs-queue.ts';
import { receiveMessage } from './sqs-receive.ts';
import { sendMessage, sendMessageBatch } from './sqs-send.ts';

/** A call's surroundings. */
export interface SqsCallContext {
  /** The HTTP header `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined;
  /** Aborted when the client has gone: it must not be given messages any more. */
  readonly signal: AbortSignal;
}

/** SQS's queues in memory: fauxqs, with what it lacks. */
export interface SqsQueues {
  /** Answers one action of the JSON protocol. */
  call(action: string, input: Json, context: SqsCallContext): Promise<SqsAnswer>;
  /** The queue of a URL. @throws Error where there is none. */
  queue(queueUrl: string): QueueState;
  /** Hands any other request to fauxqs as it is. */
  forward(contentType: string, body: string): Promise<{ status: number; contentType: string; body: string }>;
  close(): Promise<void>;
}

/** Makes queues whose URLs begin with what `baseUrl` answers. */
export function openSqsQueues(baseUrl: () => string): SqsQueues {
  const app = buildApp({ logger: false });
  const queues = new Map<string, QueueState>();
  const closing = new AbortController();
  const urlOf = (name: string): string => `${baseUrl()}/${accountId}/${name}`;

  const ask = async (action: string, input: Json): Promise<SqsAnswer> => {
    const { statusCode, headers, payload } = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
      payload: JSON.stringify(input),
    });
    const body = objectOf(JSON.parse(payload === '' ? '{}' : payload));
    const queryError = headers['x-amzn-query-error']?.toString();
    if (statusCode === 200) return answer(body);
    if (statusCode >= 500) return refuse('InternalFailure', textOf(body['message']), { status: 500 });
    return { status: statusCode, body, ...(queryError === undefined ? {} : { queryError }) };
  };

  const shared: SqsShared = { ask, queues, notes: new Map(), closing: closing.signal };

  const refresh = async (queue: QueueState): Promise<void> => {
    const { body } = await ask('GetQueueAttributes', { QueueUrl: urlOf(queue.name), AttributeNames: ['All'] });
    const attributes = Object.entries(objectOf(body['Attributes']));
    queue.attributes = Object.fromEntries(attributes.map(([name, value]) => [name, String(value)]));
  };

  const callQueue = async (action: string, queue: QueueState, input: Json, context: SqsCallContext) => {
    switch (action) {
      case 'SendMessage':
        return sendMessage(input, { ...shared, queue, traceHeader: context.traceHeader });
      case 'SendMessageBatch':
        return sendMessageBatch(input, { ...shared, queue, traceHeader: context.traceHeader });
      case 'ReceiveMessage':
        return receiveMessage(input, { ...shared, queue, signal: context.signal });
      case 'DeleteMessage':
        return deleteMessage(input, { ...shared, queue });
      case 'DeleteMessageBatch':
        return deleteMessageBatch(input, { ...shared, queue });
      case 'ChangeMessageVisibility':
        return changeVisibility(input, { ...shared, queue });
      case 'ChangeMessageVisibilityBatch':
        return changeVisibilityBatch(input, { ...shared, queue });
      default: {
        const answered = await ask(action, input);
        if (action === 'SetQueueAttributes') await refresh(queue);
        if (action === 'PurgeQueue' || action === 'DeleteQueue') forgetMessages(queue, shared.notes);
        if (action === 'DeleteQueue') queues.delete(queue.name);
        return action === 'GetQueueAttributes' ? withoutDeleted(answered, queue) : answered;
      }
    }
  };

  return {
    async call(action, input, context) {
      const name = nameOf(input['QueueUrl']);
      const queue = queues.get(name);
      const named = input['QueueUrl'] === undefined ? input : { ...input, QueueUrl: urlOf(name) };
      if (queue !== undefined) return callQueue(action, queue, named, context);
      const answered = await ask(action, named);
      if (action === 'CreateQueue' && answered.status === 200) {
        const created = queues.get(textOf(input['QueueName'])) ?? openQueueState(textOf(input['QueueName']));
        queues.set(created.name, created);
        await refresh(created);
      }
      return { ...answered, body: withUrls(answered.body, urlOf) };
    },
    queue(queueUrl) {
      const queue = queues.get(nameOf(queueUrl));
      if (queue === undefined) throw new Error(`expected the URL of a queue of this embedded cloud, got ${queueUrl}`);
      return queue;
    },
    async forward(contentType, payload) {
      const headers = { 'content-type': contentType };
      const answered = await app.inject({ method: 'POST', url: '/', headers, payload });
      const { statusCode: status, payload: body } = answered;
      return { status, contentType: String(answered.headers['content-type'] ?? ''), body };
    },
    async close() {
      closing.abort(new Error('the embedded cloud was closed'));
      for (const queue of queues.values()) queue.readiness.close();
      await app.close();
    },
  };
}

/** The name of a queue: SQS's clients name queues by URL, and only its path counts. */
export function nameOf(queueUrl: unknown): string {
  return textOf(queueUrl).split('/').at(-1) ?? '';
}

/** fauxqs still counts messages that were deleted after their visibility ran out. */
function withoutDeleted(answered: SqsAnswer, queue: QueueState): SqsAnswer {
  const attributes = objectOf(answered.body['Attributes']);
  let rest = queue.deleted.size;
  const counts: Record<string, string> = {};
  for (const name of ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']) {
    if (attributes[name] === undefined) continue;
    const shown = Number(attributes[name]);
    counts[name] = String(Math.max(0, shown - rest));
    rest = Math.max(0, rest - shown);
  }
  return { ...answered, body: { ...answered.body, Attributes: { ...attributes, ...counts } } };
}

function withUrls(body: Json, urlOf: (name: string) => string): Json {
  return {
    ...body,
    ...(body['QueueUrl'] === undefined ? {} : { QueueUrl: urlOf(nameOf(body['QueueUrl'])) }),
    ...(body['QueueUrls'] === undefined
      ? {}
      : { QueueUrls: textsOf(body['QueueUrls']).map((url) => urlOf(nameOf(url))) }),
  };
}
