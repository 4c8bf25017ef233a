import type { Clock } from '../../ports.ts';
import type { NamedQueue } from './attributes.ts';

/** A call's surroundings. */
export interface SqsCallContext {
  /** The HTTP header `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string;
  /** Who calls, so that what it holds can be shown again when it has died. @default nobody */
  readonly receiver?: string;
  /** Aborted when the client has gone: it must not be given messages any more. */
  readonly signal: AbortSignal;
}

/** What the answers to calls of one queue share. */
export interface QueueCall extends SqsCallContext {
  readonly queue: NamedQueue;
  readonly clock: Clock;
  /** Aborted when the queues are closed. */
  readonly closing: AbortSignal;
  /** Notes what a receiver holds. */
  holds(receiver: string, receiptHandle: string): void;
}
