/** What a sender gives a queue. */
export interface SentMessage {
  readonly body: string;
  /** MessageGroupId: the tenant among whom a standard queue shares fairly. */
  readonly group?: string;
  /** Seconds until it can be received. @default the queue's own */
  readonly delaySeconds?: number;
  /** What else travels with it unread: message attributes, the trace header. */
  readonly notes?: Readonly<Record<string, unknown>>;
}

/** One receive of a message: the handle by which it is deleted or hidden longer. */
export interface Delivery {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly group: string | undefined;
  readonly notes: Readonly<Record<string, unknown>>;
  /** From 1. */
  readonly receiveCount: number;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly firstReceivedAt: number;
}

/** A message within a queue. */
export interface QueuedMessage extends Required<Omit<SentMessage, 'group' | 'delaySeconds'>> {
  readonly messageId: string;
  readonly group: string | undefined;
  /** Milliseconds since the epoch; a move to a dead-letter queue keeps it. */
  readonly sentAt: number;
  /** Sent order within this queue. */
  readonly order: number;
  state: 'delayed' | 'visible' | 'in flight' | 'gone';
  /** Milliseconds since the epoch at which a delay or a hold is over. */
  until: number;
  receiveCount: number;
  firstReceivedAt: number | undefined;
  /** Of the latest delivery; only that one deletes. */
  receiptHandle: string | undefined;
}
