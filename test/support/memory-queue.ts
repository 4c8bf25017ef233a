import type { Clock, Queue, ReceivedMessage } from '../../src/ports.ts';

/** A message in the queue, as tests look at it. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly group: string;
  /** Milliseconds since the epoch from which it can be received. */
  visibleAt: number;
  receiveCount: number;
  receiptHandle: string;
}

/** Options of a queue in memory. */
export interface MemoryQueueOptions {
  readonly deadLetters?: MemoryQueue;
  /** @default no limit */
  readonly maxReceiveCount?: number;
}

/** SQS in memory on the test's clock: delays, visibility, receive counts, and a redrive policy. */
export class MemoryQueue implements Queue {
  readonly #clock: Clock;
  readonly #options: MemoryQueueOptions;
  readonly #waiters = new Set<() => void>();
  #serial = 0;
  messages: QueuedMessage[] = [];
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
    this.#clock = clock;
    this.#options = options;
  }

  async send(
    bodies: readonly string[],
    options: { readonly group: string; readonly delaySeconds?: number },
  ): Promise<void> {
    await this.before?.('send');
    const { group, delaySeconds = 0 } = options;
    if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > 900) {
      throw new Error(`expected a delay of 0 to 900 s, got ${delaySeconds}`);
    }
    for (const body of bodies) this.#add(body, group, delaySeconds);
    this.#wake();
  }

  async receive(options: {
    readonly max: number;
    readonly waitSeconds: number;
    readonly visibilitySeconds: number;
  }): Promise<readonly ReceivedMessage[]> {
    await this.before?.('receive');
    const { max, waitSeconds, visibilitySeconds } = options;
    if (max < 1 || max > 10) throw new Error(`expected to receive 1 to 10 messages, got ${max}`);
    this.receives.push({ max, waitSeconds, at: this.#clock.now() });
    const until = this.#clock.now() + waitSeconds * 1_000;
    while (true) {
      const taken = this.#take(max, visibilitySeconds);
      if (taken.length > 0 || this.#clock.now() >= until) return taken;
      await this.#changed(Math.min(until, ...this.messages.map((message) => message.visibleAt)));
    }
  }

  async delete(receiptHandle: string): Promise<void> {
    await this.before?.('delete');
    this.messages = this.messages.filter((message) => message.receiptHandle !== receiptHandle);
  }

  async changeVisibility(receiptHandle: string, seconds: number): Promise<void> {
    await this.before?.('changeVisibility');
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > 43_200) {
      throw new Error(`expected a visibility of 0 to 43,200 s, got ${seconds}`);
    }
    const message = this.messages.find((candidate) => candidate.receiptHandle === receiptHandle);
    if (message === undefined) throw new Error('expected a message in flight, got an unknown receipt handle');
    message.visibleAt = this.#clock.now() + seconds * 1_000;
    this.changes.push({ messageId: message.messageId, seconds, at: this.#clock.now() });
    this.#wake();
  }

  async depth(): Promise<number> {
    await this.before?.('depth');
    return this.messages.length;
  }

  #add(body: string, group: string, delaySeconds: number): void {
    this.sent.push({ body, group, delaySeconds });
    this.messages.push({
      messageId: `m${++this.#serial}`,
      body,
      group,
      visibleAt: this.#clock.now() + delaySeconds * 1_000,
      receiveCount: 0,
      receiptHandle: '',
    });
  }

  #take(max: number, visibilitySeconds: number): ReceivedMessage[] {
    const { deadLetters, maxReceiveCount = Number.POSITIVE_INFINITY } = this.#options;
    const now = this.#clock.now();
    const taken: ReceivedMessage[] = [];
    for (const message of [...this.messages]) {
      if (taken.length === max) break;
      if (message.visibleAt > now) continue;
      if (message.receiveCount >= maxReceiveCount) {
        this.messages.splice(this.messages.indexOf(message), 1);
        deadLetters?.adopt(message);
        continue;
      }
      message.receiveCount++;
      message.visibleAt = now + visibilitySeconds * 1_000;
      message.receiptHandle = `${message.messageId}#${message.receiveCount}`;
      const { body, receiptHandle, receiveCount, messageId } = message;
      taken.push({ body, receiptHandle, receiveCount, messageId });
    }
    return taken;
  }

  /** Takes over a message that another queue has given up. */
  adopt(message: QueuedMessage): void {
    this.messages.push({ ...message, receiveCount: 0, visibleAt: this.#clock.now() });
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  #changed(until: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        forget();
        this.#waiters.delete(wake);
        resolve();
      };
      const forget = this.#clock.after(until - this.#clock.now(), wake);
      this.#waiters.add(wake);
    });
  }
}
