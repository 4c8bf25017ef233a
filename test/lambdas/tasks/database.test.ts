import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../../lambdas/tasks/database.ts';
import { type Endpoint, openEndpoint } from '../../../src/cloud/host/endpoint.ts';
import { useConnectors } from '../../../src/connectors/settings.ts';
import { ownTableKey } from '../../../src/runtime/environment.ts';
import { parseItem } from '../../../src/task/task.ts';

let folder: string;
let endpoint: Endpoint;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanloop-database-'));
  endpoint = await openEndpoint({
    stateDir: folder,
    authorize: ({ resource }) => !resource.endsWith('/Forbidden'),
    invoke: () => Promise.reject(new Error('there are no functions here')),
  });
  const table = (name: string, keys: ReadonlyArray<readonly [string, string]>): void =>
    endpoint.createTable({
      name,
      arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`,
      definition: {
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
        KeySchema: keys.map(([AttributeName], n) => ({ AttributeName, KeyType: n === 0 ? 'HASH' : 'RANGE' })),
      },
    });
  table('Own', [
    ['pk', 'S'],
    ['sk', 'S'],
  ]);
  table('Users', [['id', 'N']]);
  // The tasks of a process share one client, which reads these when it is first used.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  useConnectors({ table: { name: 'Own', keyNames: Object.values(ownTableKey) } });
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(item: unknown, signal = new AbortController().signal): Promise<unknown> {
  const parsed = await parseItem(task, item);
  if (!parsed.ok) throw new Error(parsed.problem);
  return task.run(parsed.value, { signal, attempt: 1, idempotencyKey: 'job/0', log: () => {}, used: () => {} });
}

const key = (n: number) => ({ pk: `p${n}`, sk: 's' });
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('an item', () => {
  it.each([
    ['a text', 'pk', 'expected an object with get, put, or delete'],
    ['no verb', {}, 'expected one of get, put, and delete, got none'],
    ['two verbs', { get: key(1), delete: key(1) }, 'got get,delete'],
    ['a key without sk', { get: { pk: 'a' } }, 'get: expected sk to be a text'],
    ['a key with more than a key', { delete: { ...key(1), name: 'Ada' } }, 'delete: expected one or two names'],
    ['an empty key', { put: { pk: '', sk: 'a' } }, 'put: expected pk to be a text'],
    ['a long key', { get: { pk: 'a', sk: 'é'.repeat(513) } }, 'get: expected sk of at most 1024 bytes, got 1026'],
    ['39 digits', { put: { ...key(1), n: BigInt('1'.repeat(39)) } }, 'put: expected at most 38 digits'],
    ['an unknown form', { put: key(1), format: 'xml' }, 'format: expected plain, or dynamodb'],
    ['a value without its type', { put: key(1), format: 'dynamodb' }, 'put: expected a value with its type'],
    ['too many bytes', { put: { ...key(1), text: 'x'.repeat(409_600) } }, 'put: expected at most 409600 bytes'],
    ['a wrong table', { get: key(1), table: 'a b' }, 'table: expected the name of a table'],
    ['a consistent write', { put: key(1), consistent: true }, 'consistent: expected none'],
    ['an unknown name', { get: key(1), where: 'x' }, 'where'],
  ])('is refused for %s', async (_what, item, problem) => {
    const parsed = await parseItem(task, item);
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('that the task shows is one', async () => {
    expect(await parseItem(task, task.example)).toMatchObject({ ok: true });
  });
});

describe('the task', () => {
  it('reads what it wrote, exactly, and null where nothing is', async () => {
    const item = {
      ...key(1),
      n: 0.1,
      big: 12345678901234567890n,
      l: [null, { a: '' }],
    };
    expect(await run({ put: item })).toEqual({ put: true });
    expect(await run({ get: key(1) })).toEqual({ item });
    expect(await run({ delete: key(1) })).toEqual({ deleted: true });
    expect(await run({ get: key(1) })).toEqual({ item: null });
  });

  it('writes and reads DynamoDB’s own JSON where it is asked to', async () => {
    const pair = { pk: { S: 'typed' }, sk: { S: 's' } };
    const item = { ...pair, blob: { B: 'AP8=' }, langs: { SS: ['en', 'fr'] } };
    expect(await run({ put: item, format: 'dynamodb' })).toEqual({ put: true });
    expect(await run({ get: pair, format: 'dynamodb' })).toEqual({ item });
    expect(await run({ get: { pk: 'typed', sk: 's' } })).toEqual({
      item: { pk: 'typed', sk: 's', blob: new Uint8Array([0, 255]), langs: new Set(['en', 'fr']) },
    });
    expect(await run({ delete: pair, format: 'dynamodb' })).toEqual({ deleted: true });
  });

  it('reads large items that do not fit into one answer', async () => {
    const text = 'x'.repeat(300_000);
    await Promise.all(range(12).map((n) => run({ put: { ...key(n), text } })));
    const read = await Promise.all(range(12).map((n) => run({ get: key(n) })));
    expect(read).toEqual(range(12).map((n) => ({ item: { ...key(n), text } })));
  });

  it('lets the last of several writes to one key win', async () => {
    await Promise.all(range(10).map((n) => run({ put: { ...key(1), n } })));
    expect(await run({ get: key(1) })).toEqual({ item: { ...key(1), n: 9 } });
  });

  it('uses another table by its own key', async () => {
    await Promise.all([1, 1, 2].map((id, n) => run({ put: { id, n }, table: 'Users' })));
    expect(await run({ get: { id: 1 }, table: 'Users' })).toEqual({ item: { id: 1, n: 1 } });
    await expect(run({ put: { name: 'Ada' }, table: 'Users' })).rejects.toMatchObject({ code: 'RequestRefused' });
  });

  it('fails alone for a key of the wrong form, and its neighbours pass', async () => {
    const outcomes = await Promise.allSettled(
      [{ id: 1 }, { id: 'one' }, { name: 'Ada' }, { id: 2 }].map((get) => run({ get, table: 'Users' })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'RequestRefused', retryable: false } });
  });

  it.each([
    ['Absent', 'TableNotFound'],
    ['Forbidden', 'AccessDenied'],
  ])('says of the table %s that it is %s', async (table, code) => {
    await expect(run({ get: { id: 1 }, table })).rejects.toMatchObject({ code, retryable: false });
    await expect(run({ put: { id: 1 }, table })).rejects.toMatchObject({ code, retryable: false });
  });

  it('does nothing for a signal that has aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(run({ put: key(99) }, signal)).rejects.toThrow('too late');
    expect(await run({ get: key(99) })).toEqual({ item: null });
  });
});
