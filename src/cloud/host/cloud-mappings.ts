import { availableParallelism } from 'node:os';
import type { Clock } from '../../ports.ts';
import type { LambdaHost } from '../lambda/host.ts';
import { type EventSource, openEventSource, type SourceQueue } from '../model/event-source.ts';
import type { EventRecord } from '../model/event-source-batch.ts';
import { record } from '../template/template.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import {
  account,
  type MappingDescription,
  type QueueDescription,
  type StackDescription,
} from '../template/template-stack.ts';
import { ownCredentials } from './cloud-access.ts';
import type { Endpoint } from './endpoint.ts';
import { allows } from './policy.ts';

/** What the mappings connect. */
export interface MappingsOptions {
  readonly stack: StackDescription;
  readonly endpoint: Endpoint;
  readonly host: LambdaHost;
  readonly clock: Clock;
  /** Name of the function whose one invocation can do the work of several. @default none is so */
  readonly packed?: string | undefined;
}

/** What a mapping does in the name of its function's role. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const neededActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/**
 * Starts the event source mappings that are enabled.
 *
 * @throws Error where Lambda would refuse a mapping: no such queue or function, missing grants, visibility under the function's timeout.
 */
export function startMappings(options: MappingsOptions): EventSource {
  const { stack, host, clock } = options;
  const connections = stack.mappings.map((mapping) => ({ mapping, ...connect(mapping, stack) }));
  const sources = connections
    .filter(({ mapping }) => mapping.enabled)
    .map(({ mapping, queue, target }) =>
      openEventSource({
        mapping,
        clock,
        ...(target.name === options.packed && { processors: availableParallelism() }),
        queue: sourceQueue(queue, options),
        target: {
          invoke: (payload, traceHeaders, places) => host.invokeFor(target.name, payload, traceHeaders, places),
          stopsRecursion: (traceHeader) => host.stopsRecursion(target.name, traceHeader),
          log: (line) => host.log(target.name, line),
        },
      }),
    );
  return {
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

interface Connection {
  readonly queue: QueueDescription;
  readonly target: FunctionDescription;
}

function connect(mapping: MappingDescription, stack: StackDescription): Connection {
  const { logicalId } = mapping;
  const queue = stack.queues.find(({ arn }) => arn === mapping.queueArn);
  const target = stack.functions.find(({ name }) => name === mapping.functionName);
  if (queue === undefined)
    throw new Error(`expected ${logicalId} to read a queue of the stack, got ${mapping.queueArn}`);
  if (target === undefined) {
    throw new Error(`expected ${logicalId} to invoke a function of the stack, got ${mapping.functionName}`);
  }
  for (const action of neededActions) {
    if (!allows(target.statements, action, queue.arn)) {
      throw new Error(
        `expected the role of ${target.name} to allow ${action} on ${queue.arn} for ${logicalId}, got no grant`,
      );
    }
  }
  // SQS's own default is 30 seconds.
  const visibilitySeconds = Number(queue.attributes['VisibilityTimeout'] ?? 30);
  if (visibilitySeconds * 1_000 < target.timeoutMs) {
    throw new Error(
      `expected the visibility timeout of ${queue.name} to be at least the timeout of ${target.name} (${target.timeoutMs / 1_000} s), got ${visibilitySeconds} s`,
    );
  }
  return { queue, target };
}

function sourceQueue(queue: QueueDescription, { stack, endpoint }: MappingsOptions): SourceQueue {
  const remove = (records: readonly EventRecord[]): Promise<void> =>
    endpoint.deleteMessages(
      queue.url,
      records.map(({ receiptHandle }) => receiptHandle),
    );
  return {
    delete: remove,
    release: (records) => {
      const handles = records.map(({ receiptHandle }) => receiptHandle);
      endpoint.showMessages(queue.url, handles, afterDeathSeconds);
    },
    receive: async (max) => {
      const records = await endpoint.receive(queue.url, { max });
      return records.map((data) => ({
        ...data,
        eventSource: 'aws:sqs',
        eventSourceARN: queue.arn,
        awsRegion: account.region,
      }));
    },
    whenReady: async (signal) => {
      try {
        await endpoint.whenReady(queue.url, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    discard: async (records) => {
      const deadLetterUrl = deadLetterQueueOf(queue, stack)?.url;
      if (deadLetterUrl !== undefined) {
        await Promise.all(records.map((each) => sendAgain(endpoint.url, deadLetterUrl, each)));
      }
      await remove(records);
    },
  };
}

/** What a process had in hand that died is given to the next one after this time: who dies at once would go round in a hot loop otherwise. */
export const afterDeathSeconds = 1;

function deadLetterQueueOf(queue: QueueDescription, stack: StackDescription): QueueDescription | undefined {
  const policy: unknown = JSON.parse(queue.attributes['RedrivePolicy'] ?? '{}');
  const { deadLetterTargetArn } = record(policy, `the redrive policy of ${queue.name}`);
  return stack.queues.find(({ arn }) => arn === deadLetterTargetArn);
}

/** Puts a message into another queue by SQS's own protocol. */
async function sendAgain(endpointUrl: string, queueUrl: string, message: EventRecord): Promise<void> {
  const { MessageGroupId, AWSTraceHeader } = message.attributes;
  const response = await fetch(endpointUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessage',
      authorization: `AWS4-HMAC-SHA256 Credential=${ownCredentials.accessKeyId}/19700101/${account.region}/sqs/aws4_request`,
    },
    body: JSON.stringify({
      QueueUrl: queueUrl,
      MessageBody: message.body,
      MessageAttributes: Object.fromEntries(
        Object.entries(message.messageAttributes).map(([name, value]) => [name, apiAttribute(value)]),
      ),
      ...(MessageGroupId !== undefined && { MessageGroupId }),
      ...(AWSTraceHeader !== undefined && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
      }),
    }),
  });
  if (!response.ok) throw new Error(`expected the dead-letter queue to take a message, got ${await response.text()}`);
}

/** An event writes the fields of a message attribute in lower case first, the API in upper case. */
function apiAttribute(value: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(record(value, 'a message attribute'))
      .filter(([name]) => name === 'dataType' || name === 'stringValue' || name === 'binaryValue')
      .map(([name, field]) => [name.charAt(0).toUpperCase() + name.slice(1), field]),
  );
}
