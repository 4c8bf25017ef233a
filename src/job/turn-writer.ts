import type { TickRecord } from '../format/tick.ts';

/** A turn that failed, as when S3 could not be reached, is taken again after this time, twice this time, and so on. */
export const failedSeconds = 10;

/** The name of who takes a turn: that of the message that stands for it, and one that is this invocation's own, since SQS may give a message to two at once. */
export const writerFor = (messageId: string, invocation: string): string => `${messageId}.${invocation}`;

/**
 * When a message that comes again may do what its own earlier try recorded, in milliseconds since the epoch: that try has failed or died,
 * since its message would be gone otherwise, unless SQS gave the message twice and the other one is at work still. Undefined for a
 * record that was taken for another message.
 */
export function ownAgainAt({ writer, at }: TickRecord, here: string): number | undefined {
  const isOwn = messageOf(writer) !== undefined && messageOf(writer) === messageOf(here);
  return isOwn ? at + 1_000 * failedSeconds : undefined;
}

/** Absent for the fan-out's own turn. */
const messageOf = (writer: string): string | undefined => /^(.*)\./.exec(writer)?.[1];
