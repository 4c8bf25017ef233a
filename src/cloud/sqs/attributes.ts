import { queueArn } from '../host/access.ts';
import type { ModelQueue } from '../model/queue.ts';
import { type Json, numberFrom, objectOf, refuse, type SqsAnswer, shown, textOf } from './json.ts';

/** A queue under its name, with the attributes that it was given. */
export interface NamedQueue {
  readonly name: string;
  readonly model: ModelQueue;
  readonly createdAt: number;
  attributes: Readonly<Record<string, string>>;
}

/** Attributes that are numbers, and their ranges. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const ranges: Readonly<Record<string, readonly [least: number, most: number, otherwise: number]>> = {
  VisibilityTimeout: [0, 43_200, 30],
  DelaySeconds: [0, 900, 0],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
  MaximumMessageSize: [1_024, 1_048_576, 1_048_576],
};
/** Attributes that are kept and answered, and mean nothing here. */
const kept = new Set([
  'Policy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
  'RedriveAllowPolicy',
]);

/** Reads attributes that a caller gives. Answers a refusal where SQS would. */
export function readAttributes(
  given: unknown,
  queues: ReadonlyMap<string, NamedQueue>,
): Readonly<Record<string, string>> | SqsAnswer {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectOf(given))) {
    const text = shown(value);
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
    if (name === 'RedrivePolicy') {
      if (text !== '' && redriveOf(text, queues) === undefined) return badValue(name);
    } else if (range !== undefined) {
      const number = Number(text);
      if (!Number.isInteger(number) || number < range[0] || number > range[1]) return badValue(name);
    } else if (!kept.has(name)) {
      return refuse('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
    attributes[name] = text;
  }
  return attributes;
}

const badValue = (name: string): SqsAnswer =>
  refuse('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);

/** Gives a queue its attributes. */
export function applyAttributes(
  queue: NamedQueue,
  attributes: Readonly<Record<string, string>>,
  queues: ReadonlyMap<string, NamedQueue>,
): void {
  queue.attributes = { ...queue.attributes, ...attributes };
  const { settings } = queue.model;
  settings.visibilitySeconds = numberOf(queue, 'VisibilityTimeout');
  settings.delaySeconds = numberOf(queue, 'DelaySeconds');
  settings.retentionSeconds = numberOf(queue, 'MessageRetentionPeriod');
  settings.redrive = redriveOf(queue.attributes['RedrivePolicy'] ?? '', queues);
}

/** A queue's attribute that is a number. */
export function numberOf({ attributes }: NamedQueue, name: keyof typeof ranges & string): number {
  return Number(attributes[name] ?? ranges[name]?.[2]);
}

/** The attributes that GetQueueAttributes answers. */
export function answeredAttributes(queue: NamedQueue, wanted: readonly string[]): Readonly<Record<string, string>> {
  const { visible, inFlight, delayed } = queue.model.counts();
  const all: Record<string, string> = {
    ...Object.fromEntries(Object.entries(ranges).map(([name, [, , otherwise]]) => [name, String(otherwise)])),
    ...queue.attributes,
    QueueArn: queueArn(queue.name),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1_000)),
    LastModifiedTimestamp: String(Math.floor(queue.createdAt / 1_000)),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
  if (wanted.includes('All')) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)));
}

function redriveOf(text: string, queues: ReadonlyMap<string, NamedQueue>): ModelQueue['settings']['redrive'] {
  const policy = parse(text);
  const maxReceiveCount = numberFrom(policy['maxReceiveCount']);
  const deadLetters = queues.get(textOf(policy['deadLetterTargetArn']).split(':').at(-1) ?? '')?.model;
  if (deadLetters === undefined || !Number.isInteger(maxReceiveCount) || maxReceiveCount < 1) return undefined;
  return { deadLetters, maxReceiveCount };
}

function parse(text: string): Json {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}
