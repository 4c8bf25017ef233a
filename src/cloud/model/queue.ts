import type { Clock, Random } from '../../ports.ts';
import { DueTimes } from './due-times.ts';
import { FairLine } from './fair-line.ts';
import type { Delivery, QueuedMessage, SentMessage } from './message.ts';
import { Readiness } from './readiness.ts';

/** Settings of a queue, in SQS's units; each can be changed later. */
export interface QueueSettings {
  visibilitySeconds: number;
  delaySeconds: number;
  retentionSeconds: number;
  /** Where a message goes when it was received this often and is due again. */
  redrive: { readonly deadLetters: ModelQueue; readonly maxReceiveCount: number } | undefined;
}

/** SQS's own defaults. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html */
const defaults: QueueSettings = {
  visibilitySeconds: 30,
  delaySeconds: 0,
  retentionSeconds: 345_600,
  redrive: undefined,
};

/** Messages of a standard queue that may be in flight at once. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const maxInFlight = 120_000;

/** What a queue is made with. */
export interface QueueParts {
  readonly clock: Clock;
  /** Makes ids; it need not be random, but must not repeat. */
  readonly newId: () => string;
  /** Shuffles the order of delivery within reason. @default the order of sending is kept */
  readonly random?: Random;
}

/**
 * A standard SQS queue as AWS documents it: at least once, delays, visibility, receipt handles, receive counts, redrive, retention,
 * and fair delivery among groups. Every call takes effect at once; waiting, faults, and the wire belong to its callers.
 */
export class ModelQueue {
  readonly name: string;
  readonly settings: QueueSettings;
  /** Tells when a receive may find something. */
  readonly readiness = new Readiness();
  readonly #parts: QueueParts;
  readonly #due: DueTimes;
  readonly #line: FairLine;
  readonly #messages = new Map<string, QueuedMessage>();
  readonly #deliveries = new Map<string, QueuedMessage>();
  #inFlight = 0;
  #sent = 0;

  constructor(name: string, parts: QueueParts, settings: Partial<QueueSettings> = {}) {
    this.name = name;
    this.#parts = parts;
    this.settings = { ...defaults, ...settings };
    this.#due = new DueTimes(parts.clock);
    this.#line = new FairLine(parts.random);
  }

  /** Takes a message; it is there until it is deleted, dies, or grows too old. */
  send(sent: SentMessage): string {
    const now = this.#parts.clock.now();
    const { body, group, notes = {}, delaySeconds = this.settings.delaySeconds } = sent;
    const messageId = this.#parts.newId();
    this.#place({ messageId, body, group, notes, sentAt: now }, now + 1_000 * delaySeconds);
    return messageId;
  }

  /** Takes up to `max` visible messages and hides them; what has no delivery left goes to the dead letters instead. */
  receive(options: { readonly max: number; readonly visibilitySeconds?: number }): readonly Delivery[] {
    this.#due.settle();
    const { visibilitySeconds = this.settings.visibilitySeconds } = options;
    const now = this.#parts.clock.now();
    const mark = this.readiness.mark();
    const taken: QueuedMessage[] = [];
    while (taken.length < options.max) {
      const message = this.#inFlight < maxInFlight ? this.#line.take() : undefined;
      if (message === undefined) {
        this.readiness.emptied(mark);
        break;
      }
      if (now - message.sentAt >= 1_000 * this.settings.retentionSeconds) this.#remove(message);
      else if (!this.#redrive(message)) {
        this.#takeOff(message);
        taken.push(message);
      }
    }
    // Only now, since a visibility of zero would give the same message twice in one answer.
    return taken.map((message) => this.#deliver(message, now + 1_000 * visibilitySeconds));
  }

  /** Deletes by the handle of a delivery, also after its hold is over; a handle of an earlier delivery does nothing. */
  delete(receiptHandle: string): void {
    this.#due.settle();
    const message = this.#deliveries.get(receiptHandle);
    if (message === undefined) return;
    const wasFull = this.#inFlight === maxInFlight;
    this.#remove(message);
    if (wasFull) this.readiness.arrived();
  }

  /** Hides a message that is in flight from now on for so long; zero shows it. */
  changeVisibility(receiptHandle: string, seconds: number): 'changed' | 'not in flight' | 'unknown handle' {
    this.#due.settle();
    const message = this.#deliveries.get(receiptHandle);
    if (message === undefined) return 'unknown handle';
    if (message.state !== 'in flight') return 'not in flight';
    this.#hide(message, this.#parts.clock.now() + 1_000 * seconds);
    return 'changed';
  }

  /** Whether this is the latest delivery of a message that is in flight. */
  isInFlight(receiptHandle: string): boolean {
    return this.#deliveries.get(receiptHandle)?.state === 'in flight';
  }

  /** Messages by state. */
  counts(): { readonly visible: number; readonly inFlight: number; readonly delayed: number } {
    this.#due.settle();
    const counts = { visible: 0, inFlight: this.#inFlight, delayed: 0 };
    for (const { state } of this.#messages.values()) {
      if (state === 'visible') counts.visible++;
      else if (state === 'delayed') counts.delayed++;
    }
    return counts;
  }

  /** Every message, in the order of sending. */
  messages(): readonly Readonly<QueuedMessage>[] {
    this.#due.settle();
    return [...this.#messages.values()];
  }

  /** Deletes all messages. */
  purge(): void {
    for (const message of this.#messages.values()) message.state = 'gone';
    this.#messages.clear();
    this.#deliveries.clear();
    this.#line.clear();
    this.#inFlight = 0;
  }

  /** Takes over a message that another queue has given up; its age goes on, its receives begin anew. */
  adopt(message: Pick<QueuedMessage, 'messageId' | 'body' | 'group' | 'notes' | 'sentAt'>): void {
    const { messageId, body, group, notes, sentAt } = message;
    this.#place({ messageId, body, group, notes, sentAt }, this.#parts.clock.now());
  }

  /** Forgets its timers. */
  close(): void {
    this.#due.close();
  }

  #place(sent: Pick<QueuedMessage, 'messageId' | 'body' | 'group' | 'notes' | 'sentAt'>, visibleAt: number): void {
    const message: QueuedMessage = {
      ...sent,
      order: this.#sent++,
      state: 'delayed',
      until: visibleAt,
      receiveCount: 0,
      firstReceivedAt: undefined,
      receiptHandle: undefined,
    };
    this.#messages.set(message.messageId, message);
    if (visibleAt > this.#parts.clock.now()) this.#showAt(message);
    else this.#show(message);
  }

  #takeOff(message: QueuedMessage): void {
    message.state = 'in flight';
    this.#inFlight++;
    this.#line.flies(message, 1);
  }

  #deliver(message: QueuedMessage, until: number): Delivery {
    if (message.receiptHandle !== undefined) this.#deliveries.delete(message.receiptHandle);
    const receiptHandle = this.#parts.newId();
    message.receiptHandle = receiptHandle;
    message.receiveCount++;
    message.firstReceivedAt ??= this.#parts.clock.now();
    this.#deliveries.set(receiptHandle, message);
    this.#hide(message, until);
    const { messageId, body, group, notes, receiveCount, sentAt, firstReceivedAt } = message;
    return { messageId, receiptHandle, body, group, notes, receiveCount, sentAt, firstReceivedAt };
  }

  #hide(message: QueuedMessage, until: number): void {
    message.until = until;
    if (until > this.#parts.clock.now()) this.#showAt(message);
    else this.#show(message);
  }

  #showAt(message: QueuedMessage): void {
    const at = message.until;
    this.#due.add(at, () => {
      if (message.until === at && (message.state === 'delayed' || message.state === 'in flight')) this.#show(message);
    });
  }

  #show(message: QueuedMessage): void {
    this.#land(message);
    message.state = 'visible';
    this.#line.add(message);
    this.readiness.arrived();
  }

  /** Moves a message without a delivery left. */
  #redrive(message: QueuedMessage): boolean {
    const { redrive } = this.settings;
    if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) return false;
    this.#remove(message);
    redrive.deadLetters.adopt(message);
    return true;
  }

  #remove(message: QueuedMessage): void {
    this.#land(message);
    message.state = 'gone';
    this.#messages.delete(message.messageId);
    if (message.receiptHandle !== undefined) this.#deliveries.delete(message.receiptHandle);
  }

  #land(message: QueuedMessage): void {
    if (message.state !== 'in flight') return;
    this.#inFlight--;
    message.state = 'gone';
    this.#line.flies(message, -1);
  }
}
