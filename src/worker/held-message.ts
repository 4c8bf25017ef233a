import { parseMessage, type WorkMessage } from '../format/message.ts';
import type { Log, ReceivedMessage } from '../ports.ts';

/** A message that stands for a chunk, and the hold on it. */
export interface HeldMessage {
  readonly message: WorkMessage;
  readonly messageId: string;
  /** Absent where the fan-out runs the chunk itself; another one when the message came again. */
  receiptHandle: string | undefined;
  /** Deliveries so far, this one included. */
  readonly receiveCount: number;
}

/** Reads a received message as work; anything else stays in the queue, for newer code or the dead-letter queue. */
export function toHeldMessage(received: ReceivedMessage, log: Log): HeldMessage | undefined {
  const { messageId, receiptHandle, receiveCount } = received;
  const parsed = parseMessage(received.body);
  if (parsed.kind === 'message' && parsed.message.kind === 'work') {
    return { message: parsed.message, messageId, receiptHandle, receiveCount };
  }
  const why =
    parsed.kind === 'newer'
      ? `its version is ${parsed.version}`
      : parsed.kind === 'foreign'
        ? parsed.problem
        : 'it is a tick';
  log('warn', `a message of the work queue was left there: ${why}`, { messageId });
  return undefined;
}

/** Whether earlier workers may have left rows of the chunk: the message came before, or stands for one that was lost. */
export const isRedelivered = ({ message, receiveCount }: HeldMessage): boolean =>
  receiveCount > 1 || (message.gen > 0 && message.only === undefined) || (message.deaths ?? 0) > 0;

/** Whether a worker may have died of the chunk: then its items run where they can do no harm. */
export const isSuspect = ({ message, receiveCount }: HeldMessage): boolean =>
  receiveCount > 1 || (message.deaths ?? 0) > 0;
