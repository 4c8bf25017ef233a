import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LambdaFunction, openFunction } from '../../../src/cloud/lambda/function.ts';
import { type Reaper, startReaper } from '../../../src/cloud/lambda/reaper.ts';
import { environmentVariables } from '../../../src/cloud/lambda/variables.ts';
import type { FunctionDescription } from '../../../src/cloud/template/template-functions.ts';
import type { Clock } from '../../../src/ports.ts';
import { temporaryFolder } from '../../support/embedded-stack.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';

/** One function that does what its event says. */
const code = `
  let count = 0;
  export const other = 7;
  export const old = (event, context, callback) => callback(null, 1);
  export const handler = async (event, context) => {
    count += 1;
    if (event.say !== undefined) console.log(event.say);
    if (event.partial !== undefined) process.stdout.write(event.partial);
    if (event.exit !== undefined) process.exit(event.exit);
    if (event.throws !== undefined) throw new TypeError(event.throws);
    if (event.throwsText !== undefined) throw event.throwsText;
    if (event.rejects) { Promise.reject(new RangeError('nobody cares')); await new Promise((resolve) => setTimeout(resolve, 60_000)); }
    if (event.waits) await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (event.hangs) await new Promise(() => {});
    if (event.spins) for (;;);
    if (event.fills) { globalThis.kept = Buffer.alloc(event.fills, 1); console.log('filled'); await new Promise((resolve) => setTimeout(resolve, 60_000)); }
    if (event.bytes !== undefined) return 'x'.repeat(event.bytes);
    if (event.bigint) return 1n;
    if (event.environment) return process.env;
    if (event.context) { const { getRemainingTimeInMillis, ...rest } = context; return { ...rest, remaining: getRemainingTimeInMillis() }; }
    return event.value === undefined ? { pid: process.pid, count } : event.value;
  };
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let reaper: Reaper;
let clock: ManualClock;
let lines: string[];
let waiting: Array<{ readonly text: string; readonly seen: () => void }>;
const opened: LambdaFunction[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  reaper = startReaper();
  clock = manualClock();
  lines = [];
  waiting = [];
  await mkdir(path.join(folder.path, 'code'));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await reaper.close();
  await folder[Symbol.asyncDispose]();
});

async function open(
  options: { source?: string; own?: Clock } & Partial<FunctionDescription> = {},
): Promise<LambdaFunction> {
  const { source = code, own = clock, ...rest } = options;
  const codeDir = path.join(folder.path, 'code');
  await writeFile(path.join(codeDir, 'index.mjs'), source);
  const description: FunctionDescription = {
    name: 'hello',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    codeDir,
    handler: 'index.handler',
    memoryMb: 256,
    timeoutMs: 5_000,
    environment: { GREETING: 'hi', NODE_OPTIONS: '--enable-source-maps' },
    statements: [],
    recursiveLoop: 'Terminate',
    reservedConcurrency: undefined,
    logGroup: '/aws/lambda/hello',
    logFormat: 'Text',
    logLevel: '',
    eventRetries: 2,
    eventMaxAgeSeconds: 21_600,
    ...rest,
  };
  const opening = openFunction({
    description,
    clock: own,
    reaper,
    log: {
      append: (line) => {
        lines.push(line);
        for (const { text, seen } of waiting) if (line.includes(text)) seen();
      },
      close: async () => {},
    },
    variables: () =>
      environmentVariables(description, {
        endpointUrl: 'http://127.0.0.1:1',
        credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
        compileCacheDir: path.join(folder.path, 'cache'),
      }),
  });
  opened.push(opening);
  return opening;
}

function logged(text: string): Promise<void> {
  return new Promise((seen) => {
    waiting.push({ text, seen });
    if (lines.some((line) => line.includes(text))) seen();
  });
}

async function invoke(
  target: LambdaFunction,
  event: unknown,
): Promise<{ value: unknown; errorType: string | undefined; requestId: string }> {
  const { payload, errorType, requestId } = await target.invoke(JSON.stringify(event), [undefined]);
  return { value: JSON.parse(payload), errorType, requestId };
}

describe('an invocation', () => {
  it('answers with what the handler returns', async () => {
    const hello = await open();
    expect(await invoke(hello, { value: { a: [1, null, 'ü'] } })).toMatchObject({
      value: { a: [1, null, 'ü'] },
      errorType: undefined,
    });
    expect(await invoke(hello, { value: null })).toMatchObject({ value: null, errorType: undefined });
  });

  it('takes the environment that was started ahead of it, which is no invocation', async () => {
    const hello = await open({ source: `console.log('loaded');\n${code}` });
    hello.warm();
    hello.warm();
    await logged('loaded');
    expect(hello.running).toBe(0);
    expect(lines.filter((line) => /^(START|REPORT)/.test(line))).toEqual([]);
    expect(await invoke(hello, { value: 1 })).toMatchObject({ value: 1 });
    expect(lines.filter((line) => line.includes('loaded'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('REPORT'))).toEqual([expect.stringContaining('Init Duration')]);
  });

  it("gives the handler Lambda's context", async () => {
    const hello = await open({ timeoutMs: 900_000 });
    const { value, requestId } = await invoke(hello, { context: true });
    expect(value).toMatchObject({
      awsRequestId: requestId,
      functionName: 'hello',
      functionVersion: '$LATEST',
      memoryLimitInMB: '256',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
      logGroupName: '/aws/lambda/hello',
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      remaining: expect.toSatisfy((remaining: number) => remaining > 600_000 && remaining <= 900_000),
    });
  });

  it("has the template's variables, Lambda's, and none of this process", async () => {
    process.env['FANLOOP_TEST_SECRET'] = 'leak';
    try {
      const { value } = await invoke(await open(), { environment: true });
      expect(value).toMatchObject({
        GREETING: 'hi',
        TZ: 'UTC',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'key',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_LAMBDA_FUNCTION_NAME: 'hello',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        NODE_OPTIONS: '--enable-source-maps',
        _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-.*;Lineage=[0-9a-f]{8}:1$/),
      });
      expect(value).not.toHaveProperty('FANLOOP_TEST_SECRET');
      expect(value).not.toHaveProperty('NODE_COMPILE_CACHE');
      expect(value).not.toHaveProperty('NODE_CHANNEL_FD');
    } finally {
      delete process.env['FANLOOP_TEST_SECRET'];
    }
  });

  it('writes START, the lines of the handler, END, and REPORT to the log, with the init time of a cold start only', async () => {
    const hello = await open();
    const { requestId } = await invoke(hello, { say: 'one\ntwo' });
    expect(lines).toEqual([
      `START RequestId: ${requestId} Version: $LATEST`,
      expect.stringMatching(new RegExp(`^\\d{4}-.*Z\\t${requestId}\\tINFO\\tone\\rtwo$`)),
      `END RequestId: ${requestId}`,
      expect.stringMatching(
        /^REPORT RequestId: .*\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t$/,
      ),
    ]);
    await invoke(hello, {});
    expect(lines.at(-1)).not.toContain('Init Duration');
  });

  it('has the end of its own log as tail, with a line that was not ended', async () => {
    const hello = await open();
    await invoke(hello, { say: 'of another' });
    const { logTail } = await hello.invoke(JSON.stringify({ say: 'mine', partial: 'no newline' }), [undefined]);
    expect(logTail).toContain('mine');
    expect(logTail).toContain('\nno newline\nEND');
    expect(logTail).toContain('REPORT');
    expect(logTail).not.toContain('of another');
  });

  it('logs objects of JSON where the function says so', async () => {
    const { requestId } = await invoke(await open({ logFormat: 'JSON' }), { say: { a: 1 } });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'platform.start', record: { requestId } },
      { level: 'INFO', requestId, message: { a: 1 } },
      { type: 'platform.report', record: { requestId, status: 'success' } },
    ]);
  });
});

describe('execution environments', () => {
  it('are used again, one invocation at a time', async () => {
    const hello = await open();
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 1 } });
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 2 } });
    const both = await Promise.all([invoke(hello, {}), invoke(hello, {})]);
    expect(both.map(({ value }) => value)).toEqual([
      { pid: expect.any(Number), count: 3 },
      { pid: expect.any(Number), count: 1 },
    ]);
  });

  it('end when nobody used them for minutes', async () => {
    const hello = await open();
    const { value } = await invoke(hello, {});
    await clock.fire(300_000);
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 1 } });
    expect(value).toMatchObject({ count: 1 });
  });

  it('start with the code that an earlier one has compiled', async () => {
    const hello = await open();
    await invoke(hello, {});
    await invoke(hello, {});
    expect(await readdir(path.join(folder.path, 'cache'))).not.toEqual([]);
  });
});

describe('a function that fails', () => {
  it.each([
    ['throws', { throws: 'boom' }, 'TypeError', 'boom'],
    ['throws no error', { throwsText: 'just text' }, 'string', 'just text'],
    ['waits for what cannot come', { hangs: true }, 'Runtime.NodeJsExit', 'a Promise that was never settled'],
    ['returns what is no JSON', { bigint: true }, 'TypeError', 'BigInt'],
    [
      'returns more than 6 MB',
      { bytes: 6_291_556 },
      'Function.ResponseSizeTooLarge',
      'exceeded maximum allowed payload size (6291556 bytes)',
    ],
  ])('answers the error and keeps its environment when it %s', async (_name, event, errorType, message) => {
    const hello = await open();
    expect(await invoke(hello, event)).toMatchObject({
      errorType,
      value: { errorType, errorMessage: expect.stringContaining(message) },
    });
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 2 } });
  });

  it.each([
    ['exits with a code', { exit: 3 }, 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
    ['exits without one', { exit: 0 }, 'Runtime.ExitError', 'Runtime exited without providing a reason'],
    ['leaves a rejection alone', { rejects: true }, 'Runtime.UnhandledPromiseRejection', 'RangeError: nobody cares'],
  ])('answers the error and gets a new environment when it %s', async (_name, event, errorType, message) => {
    const hello = await open();
    await invoke(hello, {});
    expect(await invoke(hello, event)).toMatchObject({
      errorType,
      value: { errorType, errorMessage: expect.stringContaining(message) },
    });
    expect(lines.at(-1)).toContain(`Status: error\tError Type: ${errorType}`);
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 1 } });
  });

  it.each([
    ['waits', { waits: true, say: 'begun' }],
    ['blocks its loop', { spins: true, say: 'begun' }],
  ])('is killed at its timeout when it %s', async (_name, event) => {
    const hello = await open();
    const invocation = invoke(hello, event);
    await logged('begun');
    await clock.fire(5_000);
    const { value, errorType, requestId } = await invocation;
    expect(errorType).toBe('Sandbox.Timedout');
    expect(value).toEqual({
      errorType,
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 5.00 seconds`,
    });
    expect(lines.at(-1)).toContain('Status: timeout');
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 1 } });
  });

  it('is killed when it holds more than its memory', async () => {
    const hello = await open({ memoryMb: 128 });
    const invocation = invoke(hello, { fills: 200_000_000 });
    await logged('filled');
    await clock.fire(500);
    expect(await invocation).toMatchObject({
      errorType: 'Runtime.OutOfMemory',
      value: { errorMessage: expect.stringContaining('signal: killed') },
    });
    expect(await invoke(hello, {})).toMatchObject({ value: { count: 1 } });
  });

  it.each([
    ['is not there', { handler: 'nowhere.handler' }, 'Runtime.ImportModuleError', "Cannot find module 'nowhere'"],
    [
      'is not exported',
      { handler: 'index.nothing' },
      'Runtime.HandlerNotFound',
      'index.nothing is undefined or not exported',
    ],
    [
      'is no function',
      { handler: 'index.other' },
      'Runtime.HandlerNotFound',
      'index.other is undefined or not exported',
    ],
    [
      'takes a callback',
      { handler: 'index.old' },
      'Runtime.CallbackHandlerDeprecated',
      'callback-based function handlers',
    ],
    ['has a name without a dot', { handler: 'index' }, 'Runtime.MalformedHandlerName', 'Bad handler'],
    ['cannot be parsed', { source: 'export const handler = (' }, 'Runtime.UserCodeSyntaxError', 'SyntaxError'],
    [
      'imports what is not there',
      { source: "import 'no-such-package'; export const handler = async () => {};" },
      'Runtime.ImportModuleError',
      'no-such-package',
    ],
    ['throws while it loads', { source: "throw new RangeError('at load');" }, 'RangeError', 'at load'],
    ['exits while it loads', { source: 'process.exit(4);' }, 'Runtime.ExitError', 'exit status 4'],
  ])('fails each invocation when its handler %s', async (_name, options, errorType, message) => {
    const hello = await open(options);
    const expected = { errorType, value: { errorType, errorMessage: expect.stringContaining(message) } };
    expect(await invoke(hello, {})).toMatchObject(expected);
    expect(await invoke(hello, {})).toMatchObject(expected);
  });

  it('ends with the processes that it has started', async () => {
    const source = `
      import { spawn } from 'node:child_process';
      export const handler = async () => {
        const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
        console.log('started', child.pid);
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      };
    `;
    const hello = await open({ source });
    const invocation = invoke(hello, {});
    await logged('started');
    const pid = Number(/started (\d+)/.exec(lines.join('\n'))?.[1]);
    await clock.fire(5_000);
    await invocation;
    await expect.poll(() => isRunning(pid), { timeout: 60_000 }).toBe(false);
  });

  it('ends without those that it has detached, though they hold its output', async () => {
    const source = `
      import { spawn } from 'node:child_process';
      export const handler = async () => {
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], { detached: true, stdio: 'inherit' });
        console.log('started', child.pid);
        process.exit(3);
      };
    `;
    const hello = await open({ source });
    expect(await invoke(hello, {})).toMatchObject({ errorType: 'Runtime.ExitError' });
    const pid = Number(/started (\d+)/.exec(lines.join('\n'))?.[1]);
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });
});

/** A process that has ended may stay as an entry until its new parent asks for it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
