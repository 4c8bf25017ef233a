import { ModelQueue } from '../../src/cloud/model/queue.ts';
import { ModelQueuePort } from '../../src/cloud/model/queue-port.ts';
import type { Clock, Queue, ReceivedMessage } from '../../src/ports.ts';

/** A message in the queue, as tests look at it. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly group: string;
  /** Milliseconds since the epoch from which it can be received. */
  readonly visibleAt: number;
  readonly receiveCount: number;
  readonly receiptHandle: string;
}

/** Options of a queue in memory. */
export interface MemoryQueueOptions {
  readonly deadLetters?: MemoryQueue;
  /** @default no limit */
  readonly maxReceiveCount?: number;
}

let ids = 0;

/** A queue of the model on the test's clock, which notes what is asked of it. */
export class MemoryQueue implements Queue {
  readonly model: ModelQueue;
  readonly #port: ModelQueuePort;
  readonly #clock: Clock;
  /** Every message that was ever sent, with its delay. */
  readonly sent: Array<{ readonly body: string; readonly group: string; readonly delaySeconds: number }> = [];
  /** Every change of a message's visibility. */
  readonly changes: Array<{ readonly messageId: string; readonly seconds: number; readonly at: number }> = [];
  readonly receives: Array<{ readonly max: number; readonly waitSeconds: number; readonly at: number }> = [];
  /** Runs before each call; what it throws is SQS that cannot be reached. */
  before:
    | ((operation: 'send' | 'receive' | 'delete' | 'changeVisibility' | 'depth') => void | Promise<void>)
    | undefined;

  constructor(clock: Clock, options: MemoryQueueOptions = {}) {
    const { deadLetters, maxReceiveCount } = options;
    this.#clock = clock;
    const redrive =
      deadLetters === undefined || maxReceiveCount === undefined
        ? undefined
        : { deadLetters: deadLetters.model, maxReceiveCount };
    this.model = new ModelQueue('memory', { clock, newId: () => `m${++ids}` }, { redrive });
    this.#port = new ModelQueuePort({ queue: this.model, clock });
  }

  get messages(): readonly QueuedMessage[] {
    return this.model.messages().map(({ messageId, body, group = '', until, receiveCount, receiptHandle = '' }) => ({
      messageId,
      body,
      group,
      visibleAt: until,
      receiveCount,
      receiptHandle,
    }));
  }

  /** Puts other messages in the place of those that are there. */
  set messages(messages: readonly QueuedMessage[]) {
    this.model.purge();
    for (const { messageId, body, group } of messages)
      this.model.adopt({ messageId, body, group, notes: {}, sentAt: this.#clock.now() });
  }

  async send(
    bodies: readonly string[],
    options: { readonly group: string; readonly delaySeconds?: number },
  ): Promise<void> {
    await this.before?.('send');
    const { group, delaySeconds = 0 } = options;
    await this.#port.send(bodies, options);
    for (const body of bodies) this.sent.push({ body, group, delaySeconds });
  }

  async receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]> {
    await this.before?.('receive');
    const { max, waitSeconds } = options;
    this.receives.push({ max, waitSeconds, at: this.#clock.now() });
    return this.#port.receive(options);
  }

  async delete(receiptHandle: string): Promise<void> {
    await this.before?.('delete');
    await this.#port.delete(receiptHandle);
  }

  async changeVisibility(receiptHandle: string, seconds: number): Promise<void> {
    await this.before?.('changeVisibility');
    const { messageId = '' } = this.messages.find((message) => message.receiptHandle === receiptHandle) ?? {};
    await this.#port.changeVisibility(receiptHandle, seconds);
    this.changes.push({ messageId, seconds, at: this.#clock.now() });
  }

  async depth(): Promise<number> {
    await this.before?.('depth');
    return this.#port.depth();
  }
}
