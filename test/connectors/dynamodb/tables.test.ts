import { describe, expect, it, onTestFinished } from 'vitest';
import { dynamoClient } from '../../../src/connectors/dynamodb/client.ts';
import { DynamoTables } from '../../../src/connectors/dynamodb/tables.ts';
import type { Document } from '../../../src/connectors/dynamodb/value.ts';
import { type DynamoCall, type ScriptedAnswer, startDynamoServer } from './server.ts';

const own = 'Own';
const never = new AbortController().signal;

/** Tables on a scripted server; delays pass at once, and the ceilings that they were drawn from are kept. */
async function open(answer: (call: DynamoCall, n: number) => ScriptedAnswer | Promise<ScriptedAnswer>) {
  let n = 0;
  const server = await startDynamoServer((call) => answer(call, ++n));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = dynamoClient({ endpoint: server.url, region: 'us-east-1', credentials });
  onTestFinished(() => client.destroy());
  const delays: number[] = [];
  const clock = {
    now: () => 0,
    after: (delayMs: number, callback: () => void) => {
      delays.push(delayMs);
      const timer = setImmediate(callback);
      return () => clearImmediate(timer);
    },
  };
  const tables = new DynamoTables(client, { clock, random: () => 1, ownTable: { name: own, keyNames: ['pk', 'sk'] } });
  const put = (item: Document, signal = never) => tables.put(item, { table: undefined, signal });
  const get = (key: Document, signal = never) => tables.get(key, { table: undefined, consistent: false, signal });
  return { ...server, tables, put, get, delays };
}

const key = (n: number) => ({ pk: `p${n}`, sk: 's' });
const marshalled = (n: number) => ({ pk: { S: `p${n}` }, sk: { S: 's' } });
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const putsOf = ({ input }: DynamoCall): string[] =>
  input.RequestItems[own].map((one: { PutRequest: { Item: { pk: { S: string } } } }) => one.PutRequest.Item.pk.S);
const written: ScriptedAnswer = { body: { UnprocessedItems: {} } };
/** Answers reads with an item for each key. */
const found = ({ input }: DynamoCall): ScriptedAnswer => ({
  body: { Responses: { [own]: input.RequestItems[own].Keys }, UnprocessedKeys: {} },
});

describe('writes', () => {
  it('of one moment travel by twenty-five', async () => {
    const { put, calls } = await open(() => written);
    await Promise.all(range(60).map((n) => put(key(n))));
    expect(calls.map(({ operation }) => operation)).toEqual(Array(3).fill('BatchWriteItem'));
    expect(calls.map((call) => putsOf(call).length).sort((a, b) => a - b)).toEqual([10, 25, 25]);
  });

  it('that were left unprocessed are sent again, with growing delays, and only they', async () => {
    const { put, calls, delays } = await open(({ input }, n) =>
      n < 4 ? { body: { UnprocessedItems: { [own]: input.RequestItems[own].slice(1) } } } : written,
    );
    await Promise.all(range(4).map((n) => put(key(n))));
    expect(calls.map(putsOf)).toEqual([['p0', 'p1', 'p2', 'p3'], ['p1', 'p2', 'p3'], ['p2', 'p3'], ['p3']]);
    expect(delays).toEqual([3, 50, 100, 200]);
  });

  it('are sent again when the whole batch is throttled, the server fails, or the connection breaks', async () => {
    const troubles: ScriptedAnswer[] = [
      { error: 'ProvisionedThroughputExceededException' },
      { error: 'InternalServerError', status: 500 },
      'hang up',
    ];
    const { put, calls } = await open((_call, n) => troubles[n - 1] ?? written);
    await put(key(1));
    expect(calls).toHaveLength(4);
  });

  it('fail as throttled, to be tried again later, when eight answers in a row took nothing', async () => {
    const { put, calls } = await open(({ input }) => ({ body: { UnprocessedItems: input.RequestItems } }));
    await expect(put(key(1))).rejects.toMatchObject({ code: 'Throttled', retryable: true });
    expect(calls).toHaveLength(8);
  });

  it('to one key go one after the other in their order, and beside those to other keys', async () => {
    const { put, calls } = await open(() => written);
    await Promise.all([1, 2, 3].map((version) => put({ ...key(7), version })).concat(put(key(8))));
    const versions = calls.flatMap(({ input }) =>
      input.RequestItems[own].map((one: { PutRequest: { Item: { version?: { N: string } } } }) => one.PutRequest.Item),
    );
    expect(calls.map((call) => putsOf(call).sort())).toEqual([['p7', 'p8'], ['p7'], ['p7']]);
    expect(versions.flatMap(({ version }) => version?.N ?? [])).toEqual(['1', '2', '3']);
  });

  it('pass when another of their batch is refused, which fails alone', async () => {
    const { put, calls } = await open((call) =>
      putsOf(call).includes('p3') ? { error: 'ValidationException' } : written,
    );
    const outcomes = await Promise.allSettled(range(8).map((n) => put(key(n))));
    expect(outcomes.map(({ status }) => status)).toEqual(range(8).map((n) => (n === 3 ? 'rejected' : 'fulfilled')));
    expect(outcomes[3]).toMatchObject({ reason: { code: 'RequestRefused', retryable: false } });
    // 8, 4 + 4, 2 + 2, 1 + 1: halving finds it.
    expect(calls).toHaveLength(7);
  });

  it('that together are longer than a request may be travel apart', async () => {
    const { tables, calls } = await open(() => written);
    // A list of small numbers is ten times as long when it is sent.
    const item = (n: number) => ({ ...key(n), list: Array(100_000).fill(1) });
    await Promise.all(range(17).map((n) => tables.put(item(n), { table: undefined, signal: never })));
    expect(calls.map((call) => putsOf(call).length).sort((a, b) => a - b)).toEqual([2, 15]);
  });
});

describe('reads', () => {
  it('of one moment travel by a hundred, and those of one key share a place', async () => {
    const { get, calls } = await open(found);
    const items = await Promise.all([...range(150), ...range(20)].map((n) => get(key(n))));
    expect(items).toEqual([...range(150), ...range(20)].map(key));
    const sizes = calls.map(({ input }) => input.RequestItems[own].Keys.length);
    expect(Math.max(...sizes)).toBe(100);
    for (const { input } of calls) {
      const keys = input.RequestItems[own].Keys.map((one: unknown) => JSON.stringify(one));
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('give undefined for a key without an item, whatever order the answer has', async () => {
    const { get } = await open(() => ({ body: { Responses: { [own]: [marshalled(2), marshalled(0)] } } }));
    expect(await Promise.all(range(3).map((n) => get(key(n))))).toEqual([key(0), undefined, key(2)]);
  });

  it('go on for the keys that an answer had no room for', async () => {
    const { get, calls } = await open(({ input }) => {
      const { Keys } = input.RequestItems[own];
      return {
        body: { Responses: { [own]: Keys.slice(0, 2) }, UnprocessedKeys: { [own]: { Keys: Keys.slice(2) } } },
      };
    });
    expect(await Promise.all(range(5).map((n) => get(key(n))))).toEqual(range(5).map(key));
    expect(calls.map(({ input }) => input.RequestItems[own].Keys.length)).toEqual([5, 3, 1]);
  });
});

describe('a signal that aborts', () => {
  it('takes its request out of a batch that has not been sent', async () => {
    const { put, calls } = await open(() => written);
    const controller = new AbortController();
    const gone = put(key(1), controller.signal);
    const stays = put(key(2));
    controller.abort(new Error('too late'));
    await expect(gone).rejects.toThrow('too late');
    await stays;
    expect(calls.map(putsOf)).toEqual([['p2']]);
  });

  it('ends the wait for a batch under way, whose other requests go on', async () => {
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { get } = await open(async (call) => {
      asked.resolve();
      await release.promise;
      return found(call);
    });
    const controller = new AbortController();
    const gone = get(key(1), controller.signal);
    const stays = get(key(2));
    await asked.promise;
    controller.abort(new Error('too late'));
    await expect(gone).rejects.toThrow('too late');
    release.resolve();
    expect(await stays).toEqual(key(2));
  });

  it('is not sent again when it was left unprocessed', async () => {
    const controller = new AbortController();
    const { put, calls } = await open(({ input }, n) => {
      if (n > 1) return written;
      controller.abort(new Error('too late'));
      return { body: { UnprocessedItems: input.RequestItems } };
    });
    const gone = put(key(1), controller.signal);
    const stays = put(key(2));
    await expect(gone).rejects.toThrow('too late');
    await stays;
    expect(calls.map(putsOf)).toEqual([['p1', 'p2'], ['p2']]);
  });
});

describe('failures', () => {
  it.each([
    ['ResourceNotFoundException', 400, { code: 'TableNotFound', retryable: false }],
    ['AccessDeniedException', 400, { code: 'AccessDenied', retryable: false }],
    ['UnrecognizedClientException', 400, { code: 'UnrecognizedClient', retryable: false }],
  ])('%s says its code at once', async (error, status, failure) => {
    const { get, calls } = await open(() => ({ error, status }));
    await expect(get(key(1))).rejects.toMatchObject(failure);
    expect(calls).toHaveLength(1);
  });

  it('name a stack without a table', async () => {
    const { calls, url } = await open(() => written);
    const client = dynamoClient({ endpoint: url, region: 'us-east-1' });
    const clock = { now: () => 0, after: () => () => {} };
    const tables = new DynamoTables(client, { clock, random: () => 0, ownTable: undefined });
    await expect(tables.put(key(1), { table: undefined, signal: never })).rejects.toMatchObject({
      code: 'TableNotFound',
      message: expect.stringContaining('--context table=true'),
    });
    expect(calls).toEqual([]);
  });
});

describe('another table', () => {
  it('is asked once for its key, by which writes are told apart', async () => {
    const { tables, calls } = await open(({ operation }) =>
      operation === 'DescribeTable'
        ? { body: { Table: { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] } } }
        : written,
    );
    const options = { table: 'Users', signal: never };
    await Promise.all([1, 2, 2].map((id) => tables.put({ id }, options)));
    await expect(tables.put({ name: 'Ada' }, options)).rejects.toThrow('expected the item to have id');
    expect(calls.map(({ operation }) => operation)).toEqual(['DescribeTable', 'BatchWriteItem', 'BatchWriteItem']);
  });
});
