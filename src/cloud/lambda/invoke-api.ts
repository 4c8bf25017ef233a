import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, accessKeyOf, accountId, refusalOf, region } from '../host/access.ts';
import { readBody } from '../host/request-body.ts';

/** Largest payloads of an invocation. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxSyncBytes = 6_291_456;
const maxEventBytes = 1_048_576;
/** `X-Amz-Log-Type: Tail` gives the last 4 KB. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const logTailBytes = 4_096;

/** One call of Lambda's Invoke API. */
export interface InvokeRequest {
  /** Without account or version, where the call named an ARN. */
  readonly functionName: string;
  readonly invocationType: 'RequestResponse' | 'Event' | 'DryRun';
  /** Whether the caller wants the end of the log. */
  readonly tail: boolean;
  readonly payload: Uint8Array;
  /** The HTTP header `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string;
}

/** What the Lambda host answers to an invocation. */
export interface InvokeAnswer {
  /** 200, 202 (Event), 204 (DryRun), or an error of the service. */
  readonly status: number;
  readonly payload: Uint8Array | string;
  /** `Unhandled` when the function failed: its error is the payload. */
  readonly functionError?: string;
  /** The log's text; its last 4 KB are sent. */
  readonly logTail?: string;
  /** Name of the service's error where `status` is one, as `TooManyRequestsException`. @default by status */
  readonly errorType?: string;
}

/** Runs or queues an invocation. */
export type Invoke = (request: InvokeRequest) => Promise<InvokeAnswer>;

/** What the Invoke API's answers rest on. */
export interface InvokeOptions {
  readonly invoke: Invoke;
  readonly authorize: Authorize;
}

const invocationPath = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?|$)/;

/** Whether a request is for the Invoke API. */
export function isInvocation(request: IncomingMessage): boolean {
  return request.method === 'POST' && invocationPath.test(request.url ?? '');
}

/** Answers one call of the Invoke API. */
export async function answerInvocation(
  request: IncomingMessage,
  response: ServerResponse,
  { invoke, authorize }: InvokeOptions,
): Promise<void> {
  const functionName = nameOfFunction(decodeURIComponent(invocationPath.exec(request.url ?? '')?.[1] ?? ''));
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type !== 'RequestResponse' && type !== 'Event' && type !== 'DryRun') {
    return answerError(response, {
      status: 400,
      type: 'InvalidParameterValueException',
      message: `Expected an invocation type, got ${String(type)}.`,
    });
  }
  const refusal = refusalOf(authorize, {
    accessKeyId: accessKeyOf(request),
    action: 'lambda:InvokeFunction',
    resource: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
  });
  if (refusal !== undefined)
    return answerError(response, { status: 403, type: 'AccessDeniedException', message: refusal });
  const maxBytes = type === 'Event' ? maxEventBytes : maxSyncBytes;
  const payload = await readBody(request, maxBytes);
  if (payload === undefined) {
    const message = `${maxBytes} byte payload is the limit of the ${type} invocation type.`;
    return answerError(response, { status: 413, type: 'RequestTooLargeException', message });
  }
  const traceHeader = request.headers['x-amzn-trace-id']?.toString();
  const answered = await invoke({
    functionName,
    invocationType: type,
    tail: request.headers['x-amz-log-type'] === 'Tail',
    payload,
    ...(traceHeader === undefined ? {} : { traceHeader }),
  });
  answer(response, answered);
}

function answer(response: ServerResponse, { status, payload, functionError, logTail, errorType }: InvokeAnswer): void {
  const body = Buffer.from(payload);
  const errorName = errorType ?? errorNames.get(status);
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    ...(status === 204 ? {} : { 'content-length': body.byteLength }),
    ...(status === 200 ? { 'x-amz-executed-version': '$LATEST' } : {}),
    ...(functionError === undefined ? {} : { 'x-amz-function-error': functionError }),
    ...(logTail === undefined
      ? {}
      : { 'x-amz-log-result': Buffer.from(logTail).subarray(-logTailBytes).toString('base64') }),
    ...(errorName === undefined ? {} : { 'x-amzn-errortype': errorName }),
  });
  response.end(status === 204 ? undefined : body);
}

const errorNames: ReadonlyMap<number, string> = new Map([
  [404, 'ResourceNotFoundException'],
  [413, 'RequestTooLargeException'],
  [429, 'TooManyRequestsException'],
  [500, 'ServiceException'],
]);

function answerError(
  response: ServerResponse,
  { status, type, message }: { status: number; type: string; message: string },
): void {
  const payload = Buffer.from(JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message, message }));
  answer(response, { status, payload, errorType: type });
}

/** `name`, `name:alias`, `account:function:name`, and ARNs all name a function. */
function nameOfFunction(given: string): string {
  return /function:([^:]+)/.exec(given)?.[1] ?? given.replace(/:.*$/, '');
}
