/**
 * The program of one execution environment: loads the handler, then takes one invocation after the other from the host.
 * It behaves as Lambda's Node.js 24 runtime does, and ends when the host is gone.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { patchConsole } from './runtime-console.ts';
import { describeError, logError, namedError, UnhandledPromiseRejection } from './runtime-errors.ts';
import { type HeldPlaces, holdPlaces } from './runtime-places.ts';
import { type Answer, type FromRuntime, outputEnd, type ToRuntime, type ToStandby } from './runtime-protocol.ts';

type Handler = (event: unknown, context: unknown) => unknown;

/** The variables of the host's own wiring are not for the handler. */
delete process.env['NODE_COMPILE_CACHE'];
delete process.env['NODE_CHANNEL_FD'];

const send = process.send?.bind(process);
const exit = process.exit.bind(process);
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);
let current: string | undefined;
let invocations = 0;

patchConsole(() => current);
process.on('disconnect', () => exit(0));
process.on('uncaughtException', (error) => fail('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason) => {
  fail('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason), 128);
});
process.on('beforeExit', () => {
  // The loop is empty although the handler has not answered: its promise can never be settled.
  if (current === undefined) return;
  const error = namedError(
    'Runtime.NodeJsExit',
    'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes',
  );
  logError('Invoke Error', error);
  finish({ type: 'failed', error: describeError(error), ends: false });
});

const [early] = process.argv.splice(2);
if (early !== undefined) await standBy(early);

try {
  const handler = await load(process.env['LAMBDA_TASK_ROOT'] ?? process.cwd(), process.env['_HANDLER'] ?? '');
  process.on('message', (message: ToRuntime) => void invoke(handler, message));
  post({ type: 'ready' });
} catch (error) {
  fail('Uncaught Exception', error, 129);
}

/** Loads what the handler will import, and waits for the variables; the handler's own file reads them when it is loaded. */
async function standBy(file: string): Promise<void> {
  const given = new Promise<ToStandby>((resolve) => process.once('message', resolve));
  // What is wrong with it shows when the handler imports the same.
  await import(pathToFileURL(file).href).then(({ later }) => later).catch(() => {});
  const { variables } = await given;
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(variables, name)) delete process.env[name];
  Object.assign(process.env, variables);
  delete process.env['NODE_COMPILE_CACHE'];
}

async function invoke(handler: Handler, message: ToRuntime): Promise<void> {
  current = message.requestId;
  // Only the handler's own work keeps the loop alive while it runs, as on Lambda.
  process.channel?.unref();
  process.env['_X_AMZN_TRACE_ID'] = message.traceHeader;
  const memoryBytes = Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']) * megabyte;
  const tell = (places: number): void => post({ type: 'keeps', places });
  const places = holdPlaces(message.places, { memoryBytes, tell });
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message, places));
    finish({ type: 'done', payload: JSON.stringify(result === undefined ? null : result) ?? 'null' });
  } catch (error) {
    logError('Invoke Error', error);
    finish({ type: 'failed', error: describeError(error), ends: false });
  } finally {
    places.end();
  }
}

const megabyte = 1_048_576;

function contextOf(message: ToRuntime, places: HeldPlaces): unknown {
  return {
    // Lambda has nothing like it: there each invocation holds one.
    ...(places.held > 1 && { places }),
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    clientContext: undefined,
    identity: undefined,
    invokedFunctionArn: message.functionArn,
    awsRequestId: message.requestId,
    getRemainingTimeInMillis: () => message.deadlineMs - Date.now(),
  };
}

/** Answers the invocation once; what its code does later has no one to answer. */
function finish(answer: Answer): void {
  if (current === undefined) return;
  endOutput(current);
  current = undefined;
  process.channel?.ref();
  post({ ...answer, rssBytes: process.memoryUsage.rss() });
  invocations += 1;
  // The next environment starts with the compiled code of this one; it may be killed at any time, so it does not wait for its end.
  if (invocations === 1) setImmediate(flushCompileCache);
}

function fail(title: string, error: unknown, exitCode: number): void {
  logError(title, error);
  endOutput(current ?? '');
  current = undefined;
  post({ type: 'failed', error: describeError(error), ends: true, rssBytes: process.memoryUsage.rss() }, () =>
    exit(exitCode),
  );
}

function post(message: FromRuntime, sent?: () => void): void {
  send?.(message, undefined, undefined, () => sent?.());
}

/** The host waits for this mark on both streams, so that the log has all lines of an invocation before its report. */
function endOutput(requestId: string): void {
  writeOut(outputEnd(requestId));
  writeErr(outputEnd(requestId));
}

async function load(root: string, name: string): Promise<Handler> {
  const [, module, path] = /^([^.]*)\.(.*)$/.exec(name) ?? [];
  if (module === undefined || path === undefined) throw namedError('Runtime.MalformedHandlerName', 'Bad handler');
  const file = ['.js', '.mjs', '.cjs'].map((extension) => join(root, module + extension)).find(existsSync);
  if (file === undefined) {
    throw namedError('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  }
  let found: unknown;
  try {
    found = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw namedError('Runtime.UserCodeSyntaxError', String(error));
    if (error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND')) {
      throw namedError('Runtime.ImportModuleError', String(error));
    }
    throw error;
  }
  for (const step of path.split('.')) {
    // Any value but null and undefined can be asked for a property.
    found = found === null || found === undefined ? undefined : (found as Record<string, unknown>)[step];
  }
  if (typeof found !== 'function') {
    throw namedError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (found.length >= 3) {
    throw namedError(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later.',
    );
  }
  // What its parameters and its answer are is the handler's own matter.
  return found as Handler;
}
