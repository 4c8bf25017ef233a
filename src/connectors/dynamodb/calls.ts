import { BatchGetItemCommand, BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BatchKind } from './batch.ts';
import { dynamoFailure, throttled } from './failures.ts';
import { type Attributes, keyName } from './value.ts';

/** What a batch of reads asks for: the key of one item. */
export type ReadRequest = Attributes;

/** What a batch of writes does with one key. */
export interface WriteRequest {
  readonly key: Attributes;
  /** The new item; absent where the old one is to go. */
  readonly item?: Attributes;
}

/** A BatchGetItem of a table: an item, or undefined where none is. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
export function readBatches(
  client: DynamoDBClient,
  { table, consistent }: { readonly table: string; readonly consistent: boolean },
): BatchKind<ReadRequest, Attributes | undefined> {
  return {
    maxKeys: 100,
    // Keys are small; an answer is at most 16 MB, and what does not fit into it comes back as unprocessed.
    maxBytes: Number.POSITIVE_INFINITY,
    sharesKeys: true,
    failureOf: failureOf(table),
    async send(requests, signal) {
      const Keys = [...requests.values()];
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: consistent } } }),
        { abortSignal: signal },
      );
      const unprocessed = new Set((UnprocessedKeys?.[table]?.Keys ?? []).map(keyName));
      // An answer carries items without their requests; all keys of a table have the same names.
      const names = Object.keys(Keys[0] ?? {});
      const items = new Map((Responses?.[table] ?? []).map((item) => [keyName(pick(item, names)), item]));
      return new Map(
        [...requests.keys()].filter((key) => !unprocessed.has(key)).map((key) => [key, items.get(key)] as const),
      );
    },
  };
}

/** A BatchWriteItem of a table. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
export function writeBatches(client: DynamoDBClient, table: string): BatchKind<WriteRequest, undefined> {
  return {
    maxKeys: 25,
    // DynamoDB takes 16 MB, of which something is the request's own.
    maxBytes: 16_000_000,
    sharesKeys: false,
    failureOf: failureOf(table),
    // A write that was broken off might still happen, after a later one to its key: so it is never broken off.
    async send(requests) {
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [table]: [...requests.values()].map(written) } }),
      );
      const names = Object.keys(requests.values().next().value?.key ?? {});
      const unprocessed = new Set(
        (UnprocessedItems?.[table] ?? []).map(({ PutRequest, DeleteRequest }) =>
          keyName(DeleteRequest?.Key ?? pick(PutRequest?.Item ?? {}, names)),
        ),
      );
      return new Map([...requests.keys()].filter((key) => !unprocessed.has(key)).map((key) => [key, undefined]));
    },
  };
}

/** Bytes that a write adds to its request, which the limit of a batch counts as they are sent. */
export const writeBytes = (request: WriteRequest): number =>
  Buffer.byteLength(JSON.stringify(written(request), inJson));

/** The attributes of these names; those that are not there stay away. */
export function pick(item: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

function written({ key, item }: WriteRequest) {
  return item === undefined ? { DeleteRequest: { Key: key } } : { PutRequest: { Item: item } };
}

/** Bytes travel as base64. */
function inJson(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

const failureOf = (table: string) => (error?: unknown) =>
  error === undefined ? throttled(table) : dynamoFailure(error, table);
