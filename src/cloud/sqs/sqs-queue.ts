import { openReadiness, type Readiness } from './queue-readiness.ts';
import type { Json, SqsAnswer } from './sqs-json.ts';

/** What fauxqs does not keep of a message. */
export interface MessageNotes {
  /** MessageGroupId, which standard queues take for fair sharing and give back. */
  readonly group?: string;
  /** The trace header by which Lambda detects recursion. */
  readonly trace?: string;
  /** The body, where fauxqs holds another of the same size in its place. */
  readonly body?: string;
  /** The handle of the latest delivery; only that one deletes. */
  handle?: string;
}

/** What the embedded cloud knows of a queue beside fauxqs. */
export interface QueueState {
  readonly name: string;
  readonly readiness: Readiness;
  /** Deliveries by receipt handle, and when each message becomes visible again (milliseconds since the epoch). */
  readonly deliveries: Map<string, { readonly messageId: string; until: number }>;
  /** Messages that were deleted after their visibility ran out: SQS deletes them, fauxqs delivers them once more. */
  readonly deleted: Set<string>;
  attributes: Readonly<Record<string, string>>;
  /** A delivered message has no delivery left: a later receive may move it to the dead-letter queue. */
  mayRedrive: boolean;
}

/** What the answers to calls share. */
export interface SqsShared {
  /** Asks fauxqs. */
  readonly ask: (action: string, input: Json) => Promise<SqsAnswer>;
  readonly queues: ReadonlyMap<string, QueueState>;
  /** By message id, and not by queue, since a redrive moves messages. */
  readonly notes: Map<string, MessageNotes>;
  /** Aborted when the queues are closed. */
  readonly closing: AbortSignal;
}

/** Makes the state of a queue that was just created. */
export function openQueueState(name: string): QueueState {
  return {
    name,
    readiness: openReadiness(),
    deliveries: new Map(),
    deleted: new Set(),
    attributes: {},
    mayRedrive: false,
  };
}

/** The queue's redrive policy, if it has one. */
export function redriveOf(
  queue: QueueState,
): { readonly maxReceiveCount: number; readonly deadLetterName: string } | undefined {
  const text = queue.attributes['RedrivePolicy'];
  if (text === undefined || text === '') return undefined;
  const policy: unknown = JSON.parse(text);
  if (
    typeof policy !== 'object' ||
    policy === null ||
    !('deadLetterTargetArn' in policy) ||
    !('maxReceiveCount' in policy)
  )
    return undefined;
  return {
    maxReceiveCount: Number(policy.maxReceiveCount),
    deadLetterName: String(policy.deadLetterTargetArn).split(':').at(-1) ?? '',
  };
}

/** Forgets all messages of a queue. */
export function forgetMessages(queue: QueueState, notes: Map<string, MessageNotes>): void {
  for (const { messageId } of queue.deliveries.values()) notes.delete(messageId);
  queue.deliveries.clear();
  queue.deleted.clear();
}
