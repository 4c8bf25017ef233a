// One Lambda execution environment: loads the handler once, then runs one invocation at a time.
// LocalStack's executor (executor.py) owns what Lambda's host owns: the timeout, crashes, and the log.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { Worker } from 'node:worker_threads';

/** Lambda refuses a longer answer. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxAnswerBytes = 6_291_556;

const variables = process.env;
const endpoint = variables.LOCALSTACK_RUNTIME_ENDPOINT;
const runtimeId = variables.LOCALSTACK_RUNTIME_ID;
const timeoutMs = Number(variables.AWS_LAMBDA_FUNCTION_TIMEOUT) * 1000;

endWithLocalStack();
prefixConsole();
await serve(await loadHandler());

/** Kills this process and what it started when the pipe from LocalStack closes, even while the handler blocks the main thread. */
function endWithLocalStack() {
  const script = `
    const { Socket } = require('node:net');
    new Socket({ fd: 0 }).resume().once('close', () => process.kill(-process.pid, 'SIGKILL'));`;
  new Worker(script, { eval: true, env: {}, execArgv: [] }).unref();
}

/** Writes console lines as Lambda's text format does: time, request id, level, and message with tabs between. */
function prefixConsole() {
  const levels = { debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...values) => {
      const text = format(...values).replaceAll('\n', '\r');
      process.stdout.write(`${new Date().toISOString()}\t${globalThis.currentRequestId}\t${level}\t${text}\n`);
    };
  }
}

async function loadHandler() {
  try {
    const dot = variables._HANDLER.lastIndexOf('.');
    const [file, name] = [variables._HANDLER.slice(0, dot), variables._HANDLER.slice(dot + 1)];
    const candidates = ['.mjs', '.js', '.cjs'].map((extension) =>
      path.resolve(variables.LAMBDA_TASK_ROOT, file + extension),
    );
    const found = candidates.find((candidate) => existsSync(candidate));
    if (found === undefined)
      throw Object.assign(new Error(`Cannot find module '${file}'`), { name: 'Runtime.ImportModuleError' });
    const module = await import(pathToFileURL(found).href);
    const handler = module[name] ?? module.default?.[name];
    if (typeof handler === 'function') return handler;
    throw Object.assign(new Error(`${variables._HANDLER} is undefined or not exported`), {
      name: 'Runtime.HandlerNotFound',
    });
  } catch (error) {
    console.error(error);
    await post(`${endpoint}/status/${runtimeId}/error`, JSON.stringify(failureOf(error)));
    process.exit(1);
  }
}

async function serve(handler) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(202).end();
      void invoke(handler, JSON.parse(Buffer.concat(chunks).toString()));
    });
  });
  server.listen(
    Number(variables.LOCALSTACK_INVOKE_PORT),
    '127.0.0.1',
    () => void post(`${endpoint}/status/${runtimeId}/ready`, '{}'),
  );
}

async function invoke(handler, message) {
  const deadline = Date.now() + timeoutMs;
  const requestId = message['invoke-id'];
  globalThis.currentRequestId = requestId;
  // The AWS SDK passes this header on, by which Lambda recognises a chain of invocations.
  process.env._X_AMZN_TRACE_ID = message['trace-id'];
  const context = {
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: message['invoked-function-arn'],
    memoryLimitInMB: variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: requestId,
    logGroupName: variables.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: variables.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  let kind = 'response';
  let body;
  try {
    body = JSON.stringify((await handler(JSON.parse(message.payload), context)) ?? null);
    const bytes = Buffer.byteLength(body);
    if (bytes > maxAnswerBytes) {
      const text = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${maxAnswerBytes} bytes).`;
      throw Object.assign(new Error(text), { name: 'Function.ResponseSizeTooLarge' });
    }
  } catch (error) {
    console.error('Invoke Error', JSON.stringify(failureOf(error)));
    kind = 'error';
    body = JSON.stringify(failureOf(error));
  }
  await post(`${endpoint}/invocations/${requestId}/${kind}`, body);
}

function failureOf(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
}

async function post(url, body) {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  // An unread body would keep the connection from being used again.
  await response.arrayBuffer();
}
