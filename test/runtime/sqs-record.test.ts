import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { fromRecord, settleEach } from '../../src/runtime/sqs-record.ts';

function record(messageId: string, count = '1'): SQSRecord {
  return {
    messageId,
    body: `body of ${messageId}`,
    receiptHandle: `handle of ${messageId}`,
    attributes: {
      ApproximateReceiveCount: count,
      SentTimestamp: '0',
      SenderId: 's',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn',
    awsRegion: 'us-east-1',
  };
}

const failed = (...ids: readonly string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

describe('records of an event', () => {
  it('are the messages that they stand for', () => {
    expect(fromRecord(record('a', '3'))).toEqual({
      messageId: 'a',
      body: 'body of a',
      receiptHandle: 'handle of a',
      receiveCount: 3,
    });
  });

  it('leave the queue only when they are done', async () => {
    const answer = await settleEach(
      [record('a'), record('b'), record('c')],
      () => undefined,
      async ({ messageId }) => (messageId === 'b' ? 'done' : 'later'),
    );
    expect(answer).toEqual(failed('a', 'c'));
  });

  it('are each settled when one of them throws, and that one comes back', async () => {
    const settled: string[] = [];
    const lines: string[] = [];
    const log = (_level: string, message: string): void => {
      lines.push(message);
    };
    const answer = await settleEach([record('a'), record('b')], log, async ({ messageId }) => {
      if (messageId === 'a') throw new Error('no');
      settled.push(messageId);
      return 'done';
    });
    expect(answer).toEqual(failed('a'));
    expect(settled).toEqual(['b']);
    expect(lines).toHaveLength(1);
  });

  it('give an answer even for an empty event', async () => {
    expect(
      await settleEach(
        [],
        () => undefined,
        async () => 'done',
      ),
    ).toEqual(failed());
  });
});
