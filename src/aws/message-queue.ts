import { setTimeout as sleep } from 'node:timers/promises';
import { mapBounded } from '../concurrency.ts';
import { bodyAgain } from '../format/message.ts';
import type { Queue, ReceivedMessage } from '../ports.ts';
import { requestAttempts } from './connection.ts';

/** The operations of SQS that queues need, as the service has them; each asks once. */
export interface SqsCalls {
  call<Name extends keyof SqsOperations>(
    name: Name,
    input: SqsOperations[Name]['input'],
  ): Promise<SqsOperations[Name]['output']>;
  /** The name of a refusal that is the sender's own fault; undefined for any other failure. */
  refusalOf(error: unknown): string | undefined;
}

/** Inputs and answers of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html */
export interface SqsOperations {
  readonly SendMessageBatch: {
    readonly input: { readonly QueueUrl: string; readonly Entries: SentEntry[] };
    readonly output: { readonly Failed?: readonly RefusedEntry[] | undefined };
  };
  readonly ReceiveMessage: {
    readonly input: {
      readonly QueueUrl: string;
      readonly MaxNumberOfMessages: number;
      readonly WaitTimeSeconds: number;
      readonly VisibilityTimeout: number;
      readonly MessageSystemAttributeNames: 'ApproximateReceiveCount'[];
    };
    readonly output: { readonly Messages?: readonly SqsMessage[] | undefined };
  };
  readonly DeleteMessage: { readonly input: Delivery; readonly output: object };
  readonly ChangeMessageVisibility: {
    readonly input: Delivery & { readonly VisibilityTimeout: number };
    readonly output: object;
  };
  readonly GetQueueAttributes: {
    readonly input: { readonly QueueUrl: string; readonly AttributeNames: DepthAttribute[] };
    readonly output: { readonly Attributes?: Readonly<Record<string, string>> | undefined };
  };
}

interface SentEntry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
  readonly DelaySeconds: number;
}

interface RefusedEntry {
  readonly Id?: string | undefined;
  readonly Code?: string | undefined;
  readonly Message?: string | undefined;
  readonly SenderFault?: boolean | undefined;
}

interface SqsMessage {
  readonly Body?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
  readonly MessageId?: string | undefined;
  readonly Attributes?: Readonly<Record<string, string>> | undefined;
}

interface Delivery {
  readonly QueueUrl: string;
  readonly ReceiptHandle: string;
}

type DepthAttribute =
  | 'ApproximateNumberOfMessages'
  | 'ApproximateNumberOfMessagesNotVisible'
  | 'ApproximateNumberOfMessagesDelayed';

/** Entries of one SendMessageBatch. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const batchEntries = 10;
/** All entries of one batch together, 1 MiB, less what their own framing takes. */
const batchBytes = 1_000_000;
const parallelBatches = 10;

/** One standard SQS queue, whoever makes the calls; it tries them again itself, since what may have been sent before is marked. */
export class MessageQueue implements Queue {
  readonly #calls: SqsCalls;
  readonly #url: string;

  constructor(calls: SqsCalls, url: string) {
    this.#calls = calls;
    this.#url = url;
  }

  async send(
    bodies: readonly string[],
    options: { readonly group: string; readonly delaySeconds?: number },
  ): Promise<void> {
    await mapBounded(batches(bodies), parallelBatches, async (batch) => {
      let left = batch;
      for (let attempt = 1; left.length > 0; attempt++) {
        const refused = await this.#sendBatch(left, options);
        if (refused.length > 0 && attempt === sendAttempts) {
          throw new Error(
            `expected SQS to take ${batch.length} messages, got a refusal of ${refused.length}: ${refused[0]?.reason}`,
          );
        }
        left = refused.map((entry) => entry.body);
        if (left.length > 0) await sleep(waitMs(attempt, refused[0]?.reason));
      }
    });
  }

  /** Asks until there is an answer; `act` is told whether it was asked before. */
  async #ask<Answer>(act: (isAgain: boolean) => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act(attempt > 1);
      } catch (error) {
        const refusal = this.#calls.refusalOf(error);
        if (attempt === requestAttempts || (refusal !== undefined && !passing.test(refusal))) throw error;
        await sleep(waitMs(attempt, error instanceof Error ? error.name : undefined));
      }
    }
  }

  /** Sends one batch; SQS may take some entries and refuse others. */
  async #sendBatch(bodies: readonly string[], options: { readonly group: string; readonly delaySeconds?: number }) {
    const { group, delaySeconds = 0 } = options;
    const answer = await this.#ask((isAgain) =>
      this.#calls.call('SendMessageBatch', {
        QueueUrl: this.#url,
        Entries: bodies.map((body, i) => ({
          Id: String(i),
          // It may have been taken, and the answer lost: then there are two.
          MessageBody: isAgain ? bodyAgain(body) : body,
          MessageGroupId: group,
          DelaySeconds: delaySeconds,
        })),
      }),
    );
    return (answer.Failed ?? []).map((failure) => {
      const reason = `${failure.Code}: ${failure.Message ?? ''}`;
      if (failure.SenderFault === true) throw new Error(`expected SQS to take a message, got ${reason}`);
      return { body: bodies[Number(failure.Id)] ?? '', reason };
    });
  }

  async receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]> {
    const asked: SqsOperations['ReceiveMessage']['input'] = {
      QueueUrl: this.#url,
      MaxNumberOfMessages: options.max,
      WaitTimeSeconds: options.waitSeconds,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    };
    const answer = await this.#ask(() => this.#calls.call('ReceiveMessage', asked));
    return (answer.Messages ?? []).map((message) => ({
      body: message.Body ?? '',
      receiptHandle: message.ReceiptHandle ?? '',
      messageId: message.MessageId ?? '',
      receiveCount: Number(message.Attributes?.['ApproximateReceiveCount'] ?? 1),
    }));
  }

  async delete(receiptHandle: string): Promise<void> {
    const asked: SqsOperations['DeleteMessage']['input'] = { QueueUrl: this.#url, ReceiptHandle: receiptHandle };
    await this.#ask(() => this.#calls.call('DeleteMessage', asked));
  }

  async changeVisibility(receiptHandle: string, seconds: number): Promise<void> {
    const asked: SqsOperations['ChangeMessageVisibility']['input'] = {
      QueueUrl: this.#url,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    };
    await this.#ask(() => this.#calls.call('ChangeMessageVisibility', asked));
  }

  async depth(): Promise<number> {
    const asked: SqsOperations['GetQueueAttributes']['input'] = {
      QueueUrl: this.#url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    };
    const answer = await this.#ask(() => this.#calls.call('GetQueueAttributes', asked));
    return Object.values(answer.Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
  }
}

const sendAttempts = 4;
/** The first wait before a request is made again is at most twice this, each further one twice the one before; as the SDK's own. */
const firstWaitMs = 50;
/** The same after a throttle. */
const throttledWaitMs = 250;

/** Milliseconds until the next attempt; longer where there are too many requests. */
const waitMs = (attempt: number, reason = ''): number =>
  Math.random() * (/Throttl|TooManyRequests/.test(reason) ? throttledWaitMs : firstWaitMs) * 2 ** attempt;

/** Refusals of the sender's that another try may not meet: there are too many requests, or a clock is wrong. */
const passing =
  /^(Throttl|RequestThrottled|TooManyRequests|RequestLimitExceeded|OverLimit|KmsThrottled|RequestTimeout|RequestExpired|ExpiredToken|InvalidSignature|SignatureDoesNotMatch|RequestInTheFuture|AuthFailure|\w*Skewed)/;

function batches(bodies: readonly string[]): string[][] {
  const all: string[][] = [];
  let batch: string[] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    if (batch.length === batchEntries || (batch.length > 0 && bytes + size > batchBytes)) {
      all.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += size;
  }
  if (batch.length > 0) all.push(batch);
  return all;
}
