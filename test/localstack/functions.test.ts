import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createFunction, type Invoked } from '../support/localstack-function.ts';
import '../support/localstack.ts';

/** Does what its event says. */
const code = `
let invocations = 0;
const actions = {
  answer: ({ value }) => value,
  nothing: () => undefined,
  context: (_, { awsRequestId, functionName, memoryLimitInMB, getRemainingTimeInMillis }) =>
    ({ awsRequestId, functionName, memoryLimitInMB, remainingMs: getRemainingTimeInMillis(), word: process.env.WORD, trace: process.env._X_AMZN_TRACE_ID }),
  log: () => { console.log('a line', { of: 'values' }); console.error('two\\nlines'); process.stdout.write('{"raw":true}\\n'); },
  throw: () => { throw Object.assign(new TypeError('no such thing'), {}); },
  count: () => ++invocations,
  exit: () => process.exit(3),
  wait: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  block: () => { for (;;); },
  large: () => 'x'.repeat(6_500_000),
};
export const handler = async (event, context) => actions[event.action](event, context);
`;

let invoke: (payload: unknown) => Promise<Invoked>;

beforeAll(async () => {
  invoke = await createFunction(inject('localStack'), `actions-${randomUUID()}`, {
    code,
    timeoutSeconds: 5,
    environment: { WORD: 'loop' },
  });
});

describe('a function on LocalStack', () => {
  it('answers with what its handler returns, and with null for nothing', async () => {
    const value = { text: 'é🎉\u2028', list: [1, null] };
    expect(await invoke({ action: 'answer', value })).toMatchObject({ functionError: undefined, payload: value });
    expect(await invoke({ action: 'nothing' })).toMatchObject({ functionError: undefined, payload: null });
  });

  it('knows itself, its environment, and how long it may run', async () => {
    const { payload } = await invoke({ action: 'context' });
    expect(payload).toMatchObject({ memoryLimitInMB: '128', word: 'loop', trace: expect.stringContaining('Root=') });
    const { remainingMs } = payload as { remainingMs: number };
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(5_000);
  });

  it('writes its lines to the log as Lambda formats them', async () => {
    const { logTail } = await invoke({ action: 'log' });
    const lines = logTail.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^START RequestId: [\w-]+ Version: \$LATEST$/);
    expect(lines[1]).toMatch(/^\S+Z\t[\w-]+\tINFO\ta line \{ of: 'values' \}$/);
    expect(lines[2]).toMatch(/^\S+Z\t[\w-]+\tERROR\ttwo\rlines$/);
    expect(lines[3]).toBe('{"raw":true}');
    expect(lines[4]).toMatch(/^END RequestId: /);
    expect(lines[5]).toMatch(/^REPORT RequestId: .*Memory Size: 128 MB/);
  });

  it('reports an error of its handler by name and message', async () => {
    expect(await invoke({ action: 'throw' })).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'TypeError', errorMessage: 'no such thing' },
    });
  });

  it('refuses an answer over 6 MB', async () => {
    expect(await invoke({ action: 'large' })).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'Function.ResponseSizeTooLarge' },
    });
  });

  it.each([
    ['process that ends itself', 'exit', 'Runtime.ExitError', 'exit status 3'],
    ['handler that waits past its timeout', 'wait', 'Sandbox.Timedout', 'Task timed out after 5.00 seconds'],
    [
      'handler that blocks its thread past its timeout',
      'block',
      'Sandbox.Timedout',
      'Task timed out after 5.00 seconds',
    ],
  ])(
    'fails the invocation of a %s, and starts the next one in a new process',
    async (_, action, errorType, message) => {
      await invoke({ action: 'count' });
      expect((await invoke({ action: 'count' })).payload).toBeGreaterThan(1);
      expect(await invoke({ action })).toMatchObject({
        functionError: 'Unhandled',
        payload: { errorType, errorMessage: expect.stringContaining(message) },
      });
      expect((await invoke({ action: 'count' })).payload).toBe(1);
    },
  );

  it('says why it cannot load its handler', async () => {
    const broken = await createFunction(inject('localStack'), `broken-${randomUUID()}`, {
      code: "throw new Error('no luck');",
    });
    expect(await broken({})).toMatchObject({ functionError: 'Unhandled', payload: { errorMessage: 'no luck' } });
  });
});
