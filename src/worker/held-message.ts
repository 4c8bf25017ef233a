import { type BellMessage, parseMessage, type WorkMessage } from '../format/message.ts';
import type { Log, ReceivedMessage } from '../ports.ts';

/** A received message, and the hold on it. */
export interface Held {
  /** Another one when a second message of the chunk came, as the handle. */
  messageId: string;
  /** Absent where there is no message in a queue: the fan-out runs the chunk itself, or a seat does. Another one when it came again. */
  receiptHandle: string | undefined;
  /** Deliveries so far, this one included. */
  readonly receiveCount: number;
}

/** A message that stands for a chunk. */
export interface HeldMessage extends Held {
  readonly message: WorkMessage;
  /** The seat under which the chunk runs, where its job is limited. */
  readonly seat?: SeatOfChunk;
}

/** A bell for a seat. */
export interface HeldBell extends Held {
  readonly message: BellMessage;
}

/** What a chunk without a message of its own says of its end. */
export interface SeatOfChunk {
  /** The chunk is settled. */
  finished(message: WorkMessage): void;
  /** What is left of it goes on later, or elsewhere. */
  keep(message: WorkMessage): void;
}

export const isBell = (held: HeldMessage | HeldBell): held is HeldBell => held.message.kind === 'seat';

/** Reads a received message as work; anything else stays in the queue, for newer code or the dead-letter queue. */
export function toHeldMessage(received: ReceivedMessage, log: Log): HeldMessage | HeldBell | undefined {
  const { messageId, receiptHandle, receiveCount } = received;
  const held = { messageId, receiptHandle, receiveCount };
  const parsed = parseMessage(received.body);
  if (parsed.kind === 'message' && parsed.message.kind === 'work') return { ...held, message: parsed.message };
  if (parsed.kind === 'message' && parsed.message.kind === 'seat') return { ...held, message: parsed.message };
  const why =
    parsed.kind === 'newer'
      ? `its version is ${parsed.version}`
      : parsed.kind === 'foreign'
        ? parsed.problem
        : 'it is a tick';
  log('warn', `a message of the work queue was left there: ${why}`, { messageId });
  return undefined;
}

/** Whether earlier workers may have left rows of the chunk that its message does not name. */
export const mayHaveRows = (held: HeldMessage): boolean => held.message.gen > 0 || mayHaveRival(held);

/** Whether another worker may have the chunk still: the message came before, or another one of the chunk may have. */
export const mayHaveRival = (held: HeldMessage): boolean =>
  isSuspect(held) || held.message.again === true || (held.message.gen > 0 && held.message.only === undefined);

/** Whether a worker may have died of the chunk: then its items run where they can do no harm. */
export const isSuspect = ({ message, receiveCount }: HeldMessage): boolean =>
  receiveCount > 1 || (message.deaths ?? 0) > 0;
