import type { SourceQueue } from '../cloud/model/event-source.ts';
import type { Delivery } from '../cloud/model/message.ts';
import type { ModelQueue } from '../cloud/model/queue.ts';
import type { Clock, ReceivedMessage } from '../ports.ts';
import type { Nemesis } from './faults.ts';
import { placeName } from './history.ts';
import { workOf } from './watched.ts';

/** The side of a mapping that polls: AWS's own, which the nemesis leaves alone but for the duplicates it gives. */
export class PolledQueue implements SourceQueue {
  readonly #queue: ModelQueue;
  readonly #nemesis: Nemesis;
  readonly #clock: Clock;
  #closed = false;

  constructor(queue: ModelQueue, parts: { readonly nemesis: Nemesis; readonly clock: Clock }) {
    this.#queue = queue;
    this.#nemesis = parts.nemesis;
    this.#clock = parts.clock;
  }

  async receive(max: number) {
    return this.#closed ? [] : this.#queue.receive({ max }).map((delivery) => this.#delivered(delivery));
  }

  whenReady(signal: AbortSignal): Promise<void> {
    return this.#queue.readiness.whenReady(signal).catch(() => undefined);
  }

  async delete(records: ReadonlyArray<{ readonly receiptHandle: string }>): Promise<void> {
    for (const { receiptHandle } of records) this.#queue.delete(receiptHandle);
  }

  async discard(): Promise<void> {}

  /** Receives no more. */
  close(): void {
    this.#closed = true;
  }

  #delivered(delivery: Delivery) {
    const { messageId, receiptHandle, body, receiveCount } = delivery;
    const queue = this.#queue;
    const afterMs = this.#nemesis.duplicates();
    if (afterMs !== undefined) {
      this.#clock.after(afterMs, () => {
        this.#nemesis.note(
          'duplicate',
          -1,
          workOf(body) === undefined ? 'tick' : placeName(workOf(body) ?? { part: 0, chunk: 0 }),
        );
        queue.changeVisibility(receiptHandle, 0);
      });
    }
    return {
      messageId,
      receiptHandle,
      body,
      attributes: { ApproximateReceiveCount: String(receiveCount) },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: queue.name,
      awsRegion: 'us-east-1',
    } as const;
  }
}

/** A message as an event carries it. */
export interface ReceivedRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

/** The message of an event's record. */
export function fromRecord({ messageId, receiptHandle, body, attributes }: ReceivedRecord): ReceivedMessage {
  return { messageId, receiptHandle, body, receiveCount: Number(attributes.ApproximateReceiveCount) };
}
