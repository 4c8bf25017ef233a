import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports.ts';
import { accountId } from '../host/access.ts';
import { ModelQueue } from '../model/queue.ts';
import { answeredAttributes, applyAttributes, type NamedQueue, readAttributes } from './attributes.ts';
import type { QueueCall, SqsCallContext } from './call.ts';
import { changeVisibility, changeVisibilityBatch, deleteMessage, deleteMessageBatch } from './deliveries.ts';
import { answer, isAnswer, type Json, refuse, type SqsAnswer, textOf, textsOf } from './json.ts';
import { receiveMessage } from './receive.ts';
import { sendMessage, sendMessageBatch } from './send.ts';

/** SQS's queues in memory: the model's, behind the names of the JSON protocol. */
export interface SqsQueues {
  /** Answers one action of the JSON protocol. */
  call(action: string, input: Json, context: SqsCallContext): Promise<SqsAnswer>;
  /** The queue of a URL. @throws Error where there is none, or the queues are closed. */
  queue(queueUrl: string): NamedQueue;
  /** Shows again what a receiver has in flight that has died, after `delaySeconds`. */
  release(receiver: string, delaySeconds: number): void;
  close(): Promise<void>;
}

type QueueAction = (input: Json, call: QueueCall) => SqsAnswer | Promise<SqsAnswer>;

const queueActions: Readonly<Record<string, QueueAction>> = {
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  ReceiveMessage: receiveMessage,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  ChangeMessageVisibility: changeVisibility,
  ChangeMessageVisibilityBatch: changeVisibilityBatch,
  GetQueueAttributes: (input, { queue }) => {
    const attributes = answeredAttributes(queue, textsOf(input['AttributeNames']));
    return answer(Object.keys(attributes).length === 0 ? {} : { Attributes: attributes });
  },
  PurgeQueue: (_, { queue }) => {
    queue.model.purge();
    return answer({});
  },
};

/** Makes queues whose URLs begin with what `baseUrl` answers. */
export function openSqsQueues(baseUrl: () => string, clock: Clock): SqsQueues {
  const queues = new Map<string, NamedQueue>();
  const held = new Map<string, Map<string, ModelQueue>>();
  const closing = new AbortController();
  const urlOf = (name: string): string => `${baseUrl()}/${accountId}/${name}`;

  const createQueue = (input: Json): SqsAnswer => {
    const name = textOf(input['QueueName']);
    if (!/^[\w-]{1,80}$/.test(name)) {
      return refuse(
        'InvalidParameterValue',
        'Expected the name of a standard queue: 1 to 80 letters, digits, hyphens, and underscores.',
      );
    }
    const attributes = readAttributes(input['Attributes'], queues);
    if (isAnswer(attributes)) return attributes;
    const existing = queues.get(name);
    if (existing !== undefined) {
      const differs = Object.entries(attributes).find(([key, value]) => existing.attributes[key] !== value);
      if (differs === undefined) return answer({ QueueUrl: urlOf(name) });
      return refuse(
        'QueueNameExists',
        `A queue already exists with the same name and a different value for attribute ${differs[0]}`,
      );
    }
    const model = new ModelQueue(name, { clock, newId: randomUUID });
    const queue: NamedQueue = { name, model, createdAt: clock.now(), attributes: {} };
    applyAttributes(queue, attributes, queues);
    queues.set(name, queue);
    return answer({ QueueUrl: urlOf(name) });
  };

  const holds = (queue: ModelQueue, receiver: string, handle: string): void => {
    const handles = held.get(receiver) ?? new Map<string, ModelQueue>();
    held.set(receiver, handles);
    if (handles.size >= manyHandles) for (const [old, of] of handles) if (!of.isInFlight(old)) handles.delete(old);
    handles.set(handle, queue);
  };

  return {
    async call(action, input, context) {
      if (action === 'CreateQueue') return createQueue(input);
      if (action === 'ListQueues') {
        const names = [...queues.keys()].filter((name) => name.startsWith(textOf(input['QueueNamePrefix'])));
        return answer({ QueueUrls: names.sort().map(urlOf) });
      }
      const name = action === 'GetQueueUrl' ? textOf(input['QueueName']) : nameOf(input['QueueUrl']);
      const queue = queues.get(name);
      if (queue === undefined) {
        const queryCode = 'AWS.SimpleQueueService.NonExistentQueue';
        return refuse('QueueDoesNotExist', 'The specified queue does not exist.', { queryCode });
      }
      if (action === 'GetQueueUrl') return answer({ QueueUrl: urlOf(name) });
      if (action === 'DeleteQueue') {
        queue.model.purge();
        queue.model.close();
        queues.delete(name);
        return answer({});
      }
      if (action === 'SetQueueAttributes') {
        const attributes = readAttributes(input['Attributes'], queues);
        if (isAnswer(attributes)) return attributes;
        applyAttributes(queue, attributes, queues);
        return answer({});
      }
      const act = Object.hasOwn(queueActions, action) ? queueActions[action] : undefined;
      if (act === undefined) return refuse('UnsupportedOperation', `The embedded cloud has no ${action}.`);
      const call: QueueCall = {
        ...context,
        queue,
        clock,
        closing: closing.signal,
        holds: (receiver, handle) => holds(queue.model, receiver, handle),
      };
      return act(input, call);
    },
    queue(queueUrl) {
      closing.signal.throwIfAborted();
      const queue = queues.get(nameOf(queueUrl));
      if (queue === undefined) throw new Error(`expected the URL of a queue of this embedded cloud, got ${queueUrl}`);
      return queue;
    },
    release(receiver, delaySeconds) {
      for (const [handle, queue] of held.get(receiver) ?? []) queue.changeVisibility(handle, delaySeconds);
      held.delete(receiver);
    },
    async close() {
      closing.abort(new Error('the embedded cloud was closed'));
      for (const { model } of queues.values()) model.close();
    },
  };
}

/** Handles of a receiver that are kept before those of settled messages are forgotten. */
const manyHandles = 256;

/** The name of a queue: SQS's clients name queues by URL, and only its path counts. */
export function nameOf(queueUrl: unknown): string {
  return textOf(queueUrl).split('/').at(-1) ?? '';
}
