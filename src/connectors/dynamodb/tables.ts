import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { TaskError } from '../../task/errors.ts';
import { orAborted } from '../../waiting.ts';
import { type OwnTable, shared } from '../settings.ts';
import { type BatchDeps, Batches } from './batch.ts';
import { pick, type ReadRequest, readBatches, type WriteRequest, writeBatches, writeBytes } from './calls.ts';
import { dynamoClient } from './client.ts';
import { dynamoFailure } from './failures.ts';
import {
  type Attributes,
  type Document,
  type DocumentFormat,
  decodeDocument,
  encodeDocument,
  keyName,
} from './value.ts';

/** What a request of a task says beside its item or key. */
export interface TableOptions {
  /** Name of the table. @default the stack's own */
  readonly table?: string | undefined;
  /** How items and keys are written. @default 'plain' */
  readonly format?: DocumentFormat | undefined;
  readonly signal: AbortSignal;
}

/** Tables of DynamoDB, read and written by key: what is asked for at about the same time travels together. */
export interface Tables {
  /** Reads one item; undefined where none is. @throws TaskError as DynamoDB says */
  get(key: Document, options: TableOptions & { readonly consistent?: boolean }): Promise<Document | undefined>;
  /** Writes one item over whatever has its key. @throws TaskError as DynamoDB says */
  put(document: Document, options: TableOptions): Promise<void>;
  /** Removes the item of a key, or does nothing where none is. @throws TaskError as DynamoDB says */
  delete(key: Document, options: TableOptions): Promise<void>;
}

/** The tables of one client. */
export class DynamoTables implements Tables {
  readonly #client: DynamoDBClient;
  readonly #deps: BatchDeps;
  readonly #ownTable: OwnTable | undefined;
  readonly #reads = new Map<string, Batches<ReadRequest, Attributes | undefined>>();
  readonly #writes = new Map<string, Batches<WriteRequest, undefined>>();
  readonly #keyNames = new Map<string, Promise<readonly string[]>>();

  constructor(client: DynamoDBClient, options: BatchDeps & { readonly ownTable: OwnTable | undefined }) {
    this.#client = client;
    this.#deps = options;
    this.#ownTable = options.ownTable;
  }

  async get(key: Document, options: TableOptions & { readonly consistent?: boolean }): Promise<Document | undefined> {
    const { consistent = false, format, signal } = options;
    const table = this.#tableOf(options);
    const name = `${table}/${consistent}`;
    const batches = this.#reads.get(name) ?? new Batches(readBatches(this.#client, { table, consistent }), this.#deps);
    this.#reads.set(name, batches);
    const request = encodeDocument(key, format);
    const found = await batches.add({ key: keyName(request), request, bytes: 0 }, signal);
    return found && decodeDocument(found, format);
  }

  async put(document: Document, options: TableOptions): Promise<void> {
    const table = this.#tableOf(options);
    const item = encodeDocument(document, options.format);
    const names = await orAborted(this.#keyNamesOf(table), options.signal);
    const absent = names.find((name) => !(name in item));
    if (absent !== undefined) {
      throw new TaskError(`expected the item to have ${absent}, a key of the table ${table}, got none`, {
        code: 'RequestRefused',
      });
    }
    await this.#write(table, { key: pick(item, names), item }, options.signal);
  }

  async delete(key: Document, options: TableOptions): Promise<void> {
    await this.#write(this.#tableOf(options), { key: encodeDocument(key, options.format) }, options.signal);
  }

  #write(table: string, request: WriteRequest, signal: AbortSignal): Promise<undefined> {
    const batches = this.#writes.get(table) ?? new Batches(writeBatches(this.#client, table), this.#deps);
    this.#writes.set(table, batches);
    return batches.add({ key: keyName(request.key), request, bytes: writeBytes(request) }, signal);
  }

  #tableOf({ table }: TableOptions): string {
    const name = table ?? this.#ownTable?.name;
    if (name !== undefined) return name;
    throw new TaskError(
      'expected a stack with a table of its own, got one without; say "table" in the item, or deploy with --context table=true',
      { code: 'TableNotFound' },
    );
  }

  /** DynamoDB takes no two writes to one key in a batch, so the key has to be known; another table is asked once for it. */
  #keyNamesOf(table: string): Promise<readonly string[]> {
    const known = this.#keyNames.get(table);
    if (known !== undefined) return known;
    const own = this.#ownTable;
    const asked = table === own?.name ? Promise.resolve(own.keyNames) : this.#askKeyNames(table);
    this.#keyNames.set(table, asked);
    asked.catch(() => this.#keyNames.delete(table));
    return asked;
  }

  async #askKeyNames(table: string): Promise<readonly string[]> {
    try {
      const { Table } = await this.#client.send(new DescribeTableCommand({ TableName: table }));
      return (Table?.KeySchema ?? []).flatMap(({ AttributeName }) => AttributeName ?? []);
    } catch (error) {
      throw dynamoFailure(error, table);
    }
  }
}

/** The tables as all items of a process share them, so that they share batches. */
export const taskTables: () => Tables = shared(
  ({ clock, random, table }) => new DynamoTables(dynamoClient({}), { clock, random, ownTable: table }),
);
