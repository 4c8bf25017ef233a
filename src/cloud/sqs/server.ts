import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, accessKeyOf, queueArn, refusalOf } from '../host/access.ts';
import { readBody } from '../host/request-body.ts';
import { type Json, objectOf, refuse, type SqsAnswer, textOf } from './json.ts';
import { nameOf, type SqsQueues } from './queues.ts';

/** Ten messages of 1 MiB together are refused by SQS; written as JSON, 1 MiB takes at most six times as much. */
const maxRequestBytes = 10_485_760;

/** What SQS's answers rest on. */
export interface SqsOptions {
  readonly queues: SqsQueues;
  readonly authorize: Authorize;
}

/** Whether a request is one of SQS's JSON protocol. */
export function isSqs(request: IncomingMessage): boolean {
  return request.headers['x-amz-target']?.toString().startsWith('AmazonSQS.') === true;
}

/** Answers one request of SQS's JSON protocol. */
export async function answerSqs(
  request: IncomingMessage,
  response: ServerResponse,
  options: SqsOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client has gone')));
  const answered = await callSqs(request, options, gone.signal);
  const body = Buffer.from(JSON.stringify(answered.body));
  response.writeHead(answered.status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': body.byteLength,
    'x-amzn-requestid': randomUUID(),
    ...(answered.queryError === undefined ? {} : { 'x-amzn-query-error': answered.queryError }),
  });
  response.end(body);
}

async function callSqs(
  request: IncomingMessage,
  { queues, authorize }: SqsOptions,
  signal: AbortSignal,
): Promise<SqsAnswer> {
  const action = request.headers['x-amz-target']?.toString().slice('AmazonSQS.'.length) ?? '';
  const text = await readBody(request, maxRequestBytes);
  if (text === undefined)
    return refuse('RequestEntityTooLarge', `Requests cannot be longer than ${maxRequestBytes} bytes.`, { status: 413 });
  const input = parseInput(text.toString('utf8'));
  if (input === undefined) return refuse('SerializationException', 'The request is not a JSON object.');
  const refusal = refusalOf(authorize, {
    accessKeyId: accessKeyOf(request),
    action: `sqs:${action.replace(/Batch$/, '')}`,
    resource: queueArn(action === 'ListQueues' ? '*' : textOf(input['QueueName']) || nameOf(input['QueueUrl'])),
  });
  if (refusal !== undefined)
    return refuse('AccessDeniedException', refusal, { status: 403, queryCode: 'AccessDenied' });
  const traceHeader = request.headers['x-amzn-trace-id']?.toString();
  return queues.call(action, input, {
    signal,
    receiver: accessKeyOf(request),
    ...(traceHeader !== undefined && { traceHeader }),
  });
}

function parseInput(text: string): Json | undefined {
  try {
    return objectOf(JSON.parse(text === '' ? '{}' : text));
  } catch {
    return undefined;
  }
}
