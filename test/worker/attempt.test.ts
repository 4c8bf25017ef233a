import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { limits } from '../../src/limits.ts';
import { TaskError } from '../../src/task/errors.ts';
import { failureOf } from '../../src/task/failure.ts';
import { defineTask, type TaskContext } from '../../src/task/task.ts';
import { type AttemptOutcome, runAttempt, startAttempt } from '../../src/worker/attempt.ts';
import { itemScope, outsideOfItems } from '../../src/worker/item-scope.ts';
import { TestClock } from '../support/test-clock.ts';

const context = { attempt: 1, idempotencyKey: 'j/0', log: () => undefined, used: () => undefined };

function start(
  run: (item: unknown, context: TaskContext) => unknown,
  options: { readonly maxValueBytes?: number; readonly clock?: TestClock; readonly cancelled?: AbortSignal } = {},
): Promise<AttemptOutcome> {
  const { clock = new TestClock(), cancelled = new AbortController().signal, ...rest } = options;
  const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, run, ...rest });
  return runAttempt({ task, item: 1, context, timeoutMs: 1_000, cancelled, clock });
}

/** What the row of an attempt that succeeded has as its value. */
const rowValue = (outcome: AttemptOutcome): unknown =>
  outcome.kind === 'succeeded' ? JSON.parse(outcome.json) : outcome;

const thrown = async (error: unknown): Promise<AttemptOutcome> =>
  start(() => {
    throw error;
  });

const never = (): Promise<never> => new Promise(() => undefined);

describe('runAttempt', () => {
  it.each([
    [undefined, null],
    [null, null],
    [0, 0],
    ['', ''],
    [1n, 1],
    [{ a: undefined }, {}],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [{ ['__proto__']: 1 }, JSON.parse('{"__proto__":1}')],
  ])('takes the value %o as JSON would', async (value, expected) => {
    expect(rowValue(await start(() => value))).toEqual(expected);
  });

  it('keeps the value as it was when the task returned it', async () => {
    const shared = { n: 1 };
    const outcome = await start(() => shared);
    shared.n = 2;
    expect(rowValue(outcome)).toEqual({ n: 1 });
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['a circle', circular],
    ['NaN', Number.NaN],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a toJSON that throws', { toJSON: () => describeNothing() }],
  ])('fails an item whose value is %s as ResultNotJson, without another attempt', async (_, value) => {
    expect(await start(() => value)).toMatchObject({
      kind: 'failed',
      error: { code: 'ResultNotJson', retryable: false },
    });
  });

  it('counts a value in bytes of JSON and fails what is larger as ResultTooLarge', async () => {
    expect(await start(() => 'é'.repeat(4), { maxValueBytes: 10 })).toMatchObject({ kind: 'succeeded', bytes: 10 });
    expect(await start(() => 'é'.repeat(5), { maxValueBytes: 10 })).toMatchObject({
      kind: 'failed',
      error: { code: 'ResultTooLarge', retryable: false, message: expect.stringContaining('at most 10 bytes') },
    });
  });

  it('aborts a call at its timeout, and says so even when the task throws an error of its own then', async () => {
    const clock = new TestClock();
    let reason: unknown;
    const attempt = start(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new TypeError('socket hang up'));
          });
        }),
      { clock },
    );
    expect(await clock.run(attempt)).toMatchObject({
      kind: 'failed',
      error: { code: 'Timeout', retryable: true },
      durationMs: 1_000,
    });
    expect(reason).toBeInstanceOf(Error);
  });

  it('does not wait for a task that ignores its signal', async () => {
    const clock = new TestClock();
    expect(await clock.run(start(never, { clock }))).toMatchObject({ error: { code: 'Timeout' } });
  });

  it('is cancelled with its job, by a signal that the task sees', async () => {
    const controller = new AbortController();
    let wasAborted = false;
    const attempt = start(
      (_, { signal }) => {
        signal.addEventListener('abort', () => {
          wasAborted = true;
        });
        return never();
      },
      { cancelled: controller.signal },
    );
    controller.abort();
    expect(await attempt).toEqual({ kind: 'cancelled' });
    expect(wasAborted).toBe(true);
  });

  it('does not call the task of a job that is cancelled already', async () => {
    let calls = 0;
    expect(await start(() => calls++, { cancelled: AbortSignal.abort() })).toEqual({ kind: 'cancelled' });
    expect(calls).toBe(0);
  });

  it('leaves no timer behind, however it ends', async () => {
    const clock = new TestClock();
    await start(() => 1, { clock });
    await start(() => Promise.reject(new Error('no')), { clock });
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['an error', new Error('no'), 'TaskFailed', true],
    ['an error with a name', Object.assign(new Error('no'), { name: 'FetchError' }), 'FetchError', true],
    ['a name with separators', Object.assign(new Error('no'), { name: 'a:b,c;d é' }), 'abcd', true],
    ['a very long name', Object.assign(new Error('no'), { name: 'N'.repeat(99) }), 'N'.repeat(40), true],
    ['a programming error', new TypeError('x is undefined'), 'TypeError', false],
    ['a text', 'no', 'TaskFailed', true],
    ['nothing', undefined, 'TaskFailed', true],
    ['an object without a prototype', Object.create(null), 'TaskFailed', true],
    ['a name that is no text', Object.assign(new Error('no'), { name: Symbol('s') }), 'Symbols', true],
    [
      'a code that is no text',
      new TaskError('no', Object.assign({ code: 'x' }, { code: undefined })),
      'TaskFailed',
      false,
    ],
    ['a task error', new TaskError('no', { code: 'Busy', retryable: true, status: 503 }), 'Busy', true],
  ])('describes %s as a failure, whatever was thrown', async (_, error, code, retryable) => {
    expect(await thrown(error)).toMatchObject({
      kind: 'failed',
      error: { code, retryable, message: expect.any(String) },
    });
  });

  it('cuts a long message', async () => {
    const outcome = await thrown(new Error('m'.repeat(5_000)));
    expect(outcome.kind === 'failed' && outcome.error.message.length).toBe(limits.errorMessageCharacters + 1);
  });
});

describe('the wish of a downstream', () => {
  const busy = (retryAfterMs: number, retryable = true) =>
    failureOf(new TaskError('busy', { code: 'Busy', retryable, retryAfterMs, status: 429 }), 0);

  it('keeps the downstream’s wish up to 15 minutes', () => {
    expect(busy(900_000)).toMatchObject({ error: { code: 'Busy', status: 429 }, retryAfterMs: 900_000 });
  });

  it.each([900_001, Number.POSITIVE_INFINITY])(
    'fails an item whose downstream asks for %d ms as RetryAfterTooLong',
    (ms) => {
      expect(busy(ms)).toMatchObject({ error: { code: 'RetryAfterTooLong', retryable: false, status: 429 } });
    },
  );

  it.each([Number.NaN, -5])('takes %d for no wish', (ms) => {
    expect(busy(ms)).toMatchObject({ error: { code: 'Busy', retryable: true }, retryAfterMs: undefined });
  });

  it('keeps the code of a failure that is final anyway', () => {
    expect(busy(9_999_999, false).error.code).toBe('Busy');
  });
});

function describeNothing(): never {
  throw new Error('no');
}

describe('startAttempt', () => {
  const scope = { idempotencyKey: 'j/0', task: 'test', unhandled: () => undefined };

  const throwing = (): never => {
    throw new Error('at once');
  };

  it.each([
    ['whose job is cancelled already', { isStopped: true, run: never }],
    ['that is cancelled', { isStopped: false, run: never }],
    ['that throws at once', { isStopped: false, run: throwing }],
  ])('tells the end of an attempt %s later, and once', async (_, { isStopped, run }) => {
    const stop = new AbortController();
    if (isStopped) stop.abort();
    const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, run });
    const kinds: string[] = [];
    const clock = new TestClock();
    const given = { task, item: 1, context, timeoutMs: 1_000, cancelled: stop.signal, clock };
    startAttempt(given, ({ kind }) => kinds.push(kind));
    expect(kinds).toEqual([]);
    stop.abort();
    expect(kinds).toEqual([]);
    await new Promise(setImmediate);
    expect(kinds).toHaveLength(1);
  });

  it('runs what is the task’s in the scope of its item, its listeners at a timeout too, and tells the end outside', async () => {
    const seen: unknown[] = [];
    const run = (_item: unknown, { signal }: TaskContext): Promise<never> => {
      seen.push(itemScope.getStore());
      signal.addEventListener('abort', () => seen.push(itemScope.getStore()));
      return never();
    };
    const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, run });
    const clock = new TestClock();
    const given = { task, item: 1, context, timeoutMs: 1_000, cancelled: new AbortController().signal, clock, scope };
    const ended = new Promise((resolve) => startAttempt(given, () => resolve(itemScope.getStore())));
    await clock.advance(1_000);
    expect(await ended).toBeUndefined();
    expect(seen).toEqual([scope, scope]);
  });

  it('runs one item after another outside of the scope of the one before, and within what surrounds the worker', async () => {
    const surroundings = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const after: unknown[] = [];
    const run = async (item: unknown): Promise<void> => {
      seen.push([item, surroundings.getStore(), itemScope.getStore()?.idempotencyKey]);
      await new Promise(setImmediate);
      seen.push([item, surroundings.getStore(), itemScope.getStore()?.idempotencyKey]);
    };
    const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, run });
    await surroundings.run('an invocation', async () => {
      const outside = outsideOfItems();
      const given = {
        task,
        context,
        timeoutMs: 1_000,
        cancelled: new AbortController().signal,
        clock: new TestClock(),
      };
      const ends = ['a', 'b'].map((item) => {
        const own = { ...scope, idempotencyKey: `j/${item}` };
        const end = runAttempt({ ...given, item, scope: own, outside });
        after.push(itemScope.getStore());
        return end.then(() => after.push(itemScope.getStore()));
      });
      await Promise.all(ends);
    });
    const of = (item: string) => [item, 'an invocation', `j/${item}`];
    expect(seen).toEqual([of('a'), of('b'), of('a'), of('b')]);
    expect(after).toEqual([undefined, undefined, undefined, undefined]);
  });
});
