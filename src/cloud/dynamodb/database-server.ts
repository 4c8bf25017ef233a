import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, accessKeyOf, accountId, refusalOf, region } from '../host/access.ts';
import { readBody } from '../host/request-body.ts';
import { record } from '../template/template.ts';
import type { Database, DatabaseAnswer } from './database.ts';

/** DynamoDB takes no longer request. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxRequestBytes = 16_777_216;

const targetPrefix = 'DynamoDB_20120810.';
const errorPrefix = 'com.amazonaws.dynamodb.v20120810#';

/** What DynamoDB's answers rest on. */
export interface DatabaseOptions {
  readonly database: Database;
  readonly authorize: Authorize;
}

/** Whether a request is one of DynamoDB's JSON protocol. */
export function isDatabase(request: IncomingMessage): boolean {
  return request.headers['x-amz-target']?.toString().startsWith(targetPrefix) === true;
}

/** Answers one request of DynamoDB's JSON protocol. */
export async function answerDatabase(
  request: IncomingMessage,
  response: ServerResponse,
  options: DatabaseOptions,
): Promise<void> {
  const { status, headers, body } = await callDatabase(request, options);
  const checksum = headers['x-amz-crc32'];
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': body.byteLength,
    'x-amzn-requestid': randomUUID(),
    ...(checksum === undefined ? {} : { 'x-amz-crc32': checksum }),
  });
  response.end(body);
}

async function callDatabase(
  request: IncomingMessage,
  { database, authorize }: DatabaseOptions,
): Promise<DatabaseAnswer> {
  const operation = request.headers['x-amz-target']?.toString().slice(targetPrefix.length) ?? '';
  const body = await readBody(request, maxRequestBytes);
  if (body === undefined) {
    return refuse('RequestEntityTooLarge', `Requests cannot be longer than ${maxRequestBytes} bytes.`, 413);
  }
  const tables = tablesOf(body.toString('utf8'));
  if (tables === undefined) return refuse('SerializationException', 'The request is not a JSON object.');
  for (const table of tables) {
    const refusal = refusalOf(authorize, {
      accessKeyId: accessKeyOf(request),
      action: `dynamodb:${operation}`,
      resource: table.startsWith('arn:') ? table : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`,
    });
    if (refusal !== undefined) return refuse('AccessDeniedException', refusal);
  }
  try {
    return await database.call(operation, body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse('InternalServerError', `The embedded DynamoDB failed: ${reason}`, 500);
  }
}

/** The tables that a request names, `*` where it names none; undefined where it is no JSON object. */
function tablesOf(text: string): readonly string[] | undefined {
  try {
    const input = record(JSON.parse(text), 'the request');
    const named = input['TableName'] ?? input['ResourceArn'];
    if (typeof named === 'string') return [named];
    return input['RequestItems'] === undefined ? ['*'] : Object.keys(record(input['RequestItems'], 'RequestItems'));
  } catch {
    return undefined;
  }
}

function refuse(code: string, message: string, status = 400): DatabaseAnswer {
  return { status, headers: {}, body: Buffer.from(JSON.stringify({ __type: `${errorPrefix}${code}`, message })) };
}
