import { parseMessage, type WorkMessage } from '../format/message.ts';
import type { Log, ReceivedMessage } from '../ports.ts';

/** A message that stands for a chunk, and the hold on it. */
export interface HeldMessage {
  readonly message: WorkMessage;
  readonly messageId: string;
  /** Absent where the fan-out runs the chunk itself. */
  readonly receiptHandle: string | undefined;
}

/** Reads a received message as work; anything else stays in the queue, for newer code or the dead-letter queue. */
export function toHeldMessage(received: ReceivedMessage, log: Log): HeldMessage | undefined {
  const parsed = parseMessage(received.body);
  if (parsed.kind === 'message' && parsed.message.kind === 'work') {
    return { message: parsed.message, messageId: received.messageId, receiptHandle: received.receiptHandle };
  }
  const why =
    parsed.kind === 'newer'
      ? `its version is ${parsed.version}`
      : parsed.kind === 'foreign'
        ? parsed.problem
        : 'it is a tick';
  log('warn', `a message of the work queue was left there: ${why}`, { messageId: received.messageId });
  return undefined;
}
