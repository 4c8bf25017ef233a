import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** What the server answers: a body, or an error by its name; a promise of it holds the call. */
export type ScriptedAnswer =
  | { readonly body: unknown }
  | { readonly error: string; readonly status?: number }
  | 'hang up';

/** One call as the server got it. */
export interface DynamoCall {
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: Tests look into requests whose form the SDK's types prove.
  readonly input: any;
}

/** A server of DynamoDB's protocol that a test scripts: for what a real one does only under load. */
export async function startDynamoServer(answer: (call: DynamoCall) => ScriptedAnswer | Promise<ScriptedAnswer>) {
  const calls: DynamoCall[] = [];
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '');
    const call = { operation, input: await json(request) };
    calls.push(call);
    const given = await answer(call);
    if (given === 'hang up') return void request.socket.destroy();
    const isError = 'error' in given;
    response.writeHead(isError ? (given.status ?? 400) : 200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(
      JSON.stringify(
        isError ? { __type: `com.amazonaws.dynamodb.v20120810#${given.error}`, message: 'scripted' } : given.body,
      ),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // A server that listens on a port of TCP has such an address.
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
