import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { accountId, region } from '../host/access.ts';
import type { TableDescription } from '../template/template-stack.ts';

/** Not by `import`: see the endpoint. */
const { Agent, request } = process.getBuiltinModule('node:http');

/** What DynamoDB answered to one call of its JSON protocol. */
export interface DatabaseAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The embedded DynamoDB: it starts with the first call. */
export interface Database {
  /** Adds a table; it is made when the database starts, unless its folder has it. */
  createTable(table: TableDescription): void;
  /** Calls an operation, as `GetItem`. @throws Error when the database cannot start or ends on the way */
  call(operation: string, body: Uint8Array | string): Promise<DatabaseAnswer>;
  close(): Promise<void>;
}

interface Running {
  readonly port: number;
  readonly thread: Worker;
  /** Resolves when the thread has ended. */
  readonly ended: Promise<unknown>;
}

/** Tries until a new table is active; it is after the next turn of the thread's event loop. */
const maxLooks = 1_000;

/** Opens the DynamoDB whose data is in a folder: Dynalite, on a thread of its own. */
export function openDatabase(folder: string): Database {
  const tables: TableDescription[] = [];
  const agent = new Agent({ keepAlive: true });
  let running: Promise<Running> | undefined;

  const start = async (): Promise<Running> => {
    const thread = new Worker(new URL(`./database-thread${import.meta.url.slice(-3)}`, import.meta.url), {
      workerData: folder,
      // Account and region stand in the ARNs of tables.
      env: { AWS_REGION: region, AWS_ACCOUNT_ID: accountId.replace(/\D/g, '') },
      execArgv: [],
    });
    let failure: unknown;
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    thread.once('error', (error) => {
      failure = error;
    });
    // A thread that has ended is started again by the next call.
    void ended.then(() => {
      running = undefined;
    });
    const stopped = ended.then(() => {
      throw new Error('expected the embedded DynamoDB to start, got an end of its thread', { cause: failure });
    });
    const [port] = await Promise.race([once(thread, 'message'), stopped]);
    const started: Running = { thread, ended, port: Number(port) };
    stopped.catch(() => {});
    try {
      await Promise.all(tables.map((table) => requireTable(table, (...args) => send(started, ...args), folder)));
    } catch (error) {
      await thread.terminate();
      throw error;
    }
    return started;
  };

  const send = ({ port }: Running, operation: string, body: Uint8Array | string): Promise<DatabaseAnswer> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method: 'POST', agent, headers: headersOf(operation) });
      sent.once('error', reject);
      sent.once('response', (answer) => {
        buffer(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      sent.end(body);
    });

  return {
    createTable: (table) => void tables.push(table),
    call: async (operation, body) => {
      running ??= start().catch((error: unknown) => {
        running = undefined;
        throw error;
      });
      const current = await running;
      try {
        return await send(current, operation, body);
      } catch (error) {
        // The thread closes no connection while it lives: the next call has to find it gone.
        await current.ended;
        throw error;
      }
    },
    close: async () => {
      const last = await running?.catch(() => undefined);
      agent.destroy();
      last?.thread.postMessage('close');
      await last?.ended;
    },
  };
}

/** Dynalite asks for a signature, and does not check it. */
function headersOf(operation: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=fanloop/aws4_request, SignedHeaders=host, Signature=none',
  };
}

/** Makes a table unless it is there. @throws Error when it is there with another key */
async function requireTable({ name, definition }: TableDescription, call: Database['call'], folder: string) {
  const before = await call('DescribeTable', JSON.stringify({ TableName: name }));
  if (before.status !== 200) {
    const made = await call('CreateTable', JSON.stringify(definition));
    if (made.status !== 200) throw new Error(`expected DynamoDB to make the table ${name}, got ${made.body}`);
  }
  for (let look = 0; look < maxLooks; look++) {
    const { body } = await call('DescribeTable', JSON.stringify({ TableName: name }));
    const { Table: table } = JSON.parse(body.toString('utf8'));
    if (table.TableStatus !== 'ACTIVE') continue;
    if (JSON.stringify(table.KeySchema) === JSON.stringify(definition['KeySchema'])) return;
    break;
  }
  throw new Error(
    `expected the table ${name} in ${folder} with the key ${JSON.stringify(definition['KeySchema'])}, got another one; remove the folder to start anew`,
  );
}
