import { describe, expect, it } from 'vitest';
import { type EventRecord, settledRecords, takeBatch } from '../../../src/cloud/model/event-source-batch.ts';

function message(messageId: string, body = ''): EventRecord {
  return {
    messageId,
    receiptHandle: `handle-${messageId}`,
    body,
    attributes: {},
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:queue',
    awsRegion: 'us-east-1',
  };
}

const batch = [message('a'), message('b'), message('c')];
const settled = (payload: string, options: { errorType?: string; reportsBatchItemFailures?: boolean } = {}): string =>
  settledRecords(batch, { payload, reportsBatchItemFailures: true, ...options })
    .map(({ messageId }) => messageId)
    .join('');

describe('messages that leave the queue', () => {
  it.each([
    ['null', 'null', 'abc'],
    ['an empty object', '{}', 'abc'],
    ['an empty list', '{"batchItemFailures":[]}', 'abc'],
    ['null in place of the list', '{"batchItemFailures":null}', 'abc'],
    ['one failure', '{"batchItemFailures":[{"itemIdentifier":"b"}]}', 'ac'],
    ['the same failure twice', '{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}', 'ac'],
    [
      'all failures',
      '{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}',
      '',
    ],
    ['an empty identifier', '{"batchItemFailures":[{"itemIdentifier":""}]}', ''],
    ['a null identifier', '{"batchItemFailures":[{"itemIdentifier":null}]}', ''],
    ['a wrong key', '{"batchItemFailures":[{"messageId":"a"}]}', ''],
    ['a failure that is null', '{"batchItemFailures":[null]}', ''],
    ['an identifier of no message', '{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}', ''],
    ['text in place of the list', '{"batchItemFailures":"a"}', ''],
    ['a text', '"done"', ''],
    ['a list', '[]', ''],
    ['no JSON', '{', ''],
  ])('after an answer of %s', (_name, payload, expected) => {
    expect(settled(payload)).toBe(expected);
  });

  it('are none after an error, whatever it says', () => {
    expect(settled('{"batchItemFailures":[]}', { errorType: 'Error' })).toBe('');
  });

  it('are all after any answer where the mapping asks for no report', () => {
    expect(settled('{"batchItemFailures":[{"itemIdentifier":"b"}]}', { reportsBatchItemFailures: false })).toBe('abc');
    expect(settled('null', { reportsBatchItemFailures: false, errorType: 'Error' })).toBe('');
  });
});

describe('the batch of one event', () => {
  it('has as many records as the mapping allows, and the rest waits', () => {
    expect(takeBatch(batch, 2)).toEqual({ batch: batch.slice(0, 2), rest: batch.slice(2) });
  });

  it('ends before the event is over 6 MB', () => {
    const large = Array.from({ length: 10 }, (_, index) => message(String(index), 'x'.repeat(1_048_576)));
    expect(takeBatch(large, 10).batch).toHaveLength(5);
    expect(Buffer.byteLength(JSON.stringify({ Records: takeBatch(large, 10).batch }))).toBeLessThanOrEqual(6_291_456);
  });

  it('has one record at least', () => {
    expect(takeBatch([message('a', '\u0001'.repeat(1_100_000))], 10).batch).toHaveLength(1);
  });
});
