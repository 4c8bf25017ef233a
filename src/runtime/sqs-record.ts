import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { Log, ReceivedMessage } from '../ports.ts';

/** An event's record as the message that it is. */
export function fromRecord(record: SQSRecord): ReceivedMessage {
  return {
    body: record.body,
    receiptHandle: record.receiptHandle,
    messageId: record.messageId,
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
  };
}

/**
 * Settles records one after another; only those that end as `done` leave the queue, all others come back.
 * An answer without failures deletes the whole batch, so every record starts as failed and is removed on proof.
 */
export async function settleEach(
  records: readonly SQSRecord[],
  log: Log,
  settle: (message: ReceivedMessage) => Promise<'done' | 'later'>,
): Promise<SQSBatchResponse> {
  const unproven = new Set(records.map((record) => record.messageId));
  for (const record of records) {
    try {
      if ((await settle(fromRecord(record))) === 'done') unproven.delete(record.messageId);
    } catch (error) {
      log('error', 'a message failed and comes back', {
        messageId: record.messageId,
        error: error instanceof Error ? error.stack : String(error),
      });
    }
  }
  return { batchItemFailures: [...unproven].map((itemIdentifier) => ({ itemIdentifier })) };
}
