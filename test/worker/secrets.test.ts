import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ParameterVault } from '../../src/runtime/secret-vault.ts';
import { TaskError } from '../../src/task/errors.ts';
import { registryOf } from '../../src/task/registry.ts';
import { defineTask, type SecretContext, type TaskContext } from '../../src/task/task.ts';
import { withSecrets } from '../../src/worker/secrets.ts';

const secret = 'hunter2-hunter2';

async function start(run: (item: unknown, context: SecretContext) => unknown, context: Partial<TaskContext> = {}) {
  const logged: unknown[] = [];
  const asked: (readonly string[])[] = [];
  const vault = new ParameterVault('Fanloop', async (names) => {
    asked.push(names);
    return new Map(names.filter((name) => name.endsWith('/KEY')).map((name) => [name, secret]));
  });
  const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, secrets: ['KEY'], run });
  const wrapped = await withSecrets(registryOf({ task }), vault).load('task');
  if (wrapped === undefined) throw new Error('expected a task, got none');
  const outcome = wrapped.run(1, {
    signal: new AbortController().signal,
    attempt: 1,
    idempotencyKey: 'j/0',
    used: () => {},
    log: (message, fields) => void logged.push([message, fields]),
    ...context,
  });
  return { outcome, logged, asked, wrapped };
}

describe('a task that declares a secret', () => {
  it('gets it, from the stack’s own path, and headers with it in place', async () => {
    const { outcome, asked } = await start(
      (_, { secrets, secretHeaders }) => [secrets['KEY']?.length, secretHeaders?.['x']?.length],
      {
        secretHeaders: { x: 'Token {KEY}' },
      },
    );
    expect(await outcome).toEqual([secret.length, 'Token '.length + secret.length]);
    expect(asked).toEqual([['/fanloop/Fanloop/KEY']]);
  });

  it('is there before the first call, is asked for once however many calls need it, and is read anew beside calls', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    try {
      const { wrapped, asked, outcome } = await start((_, { secrets }) => secrets['KEY']?.length);
      expect(asked).toHaveLength(1);
      await outcome;
      const context = { signal: new AbortController().signal, attempt: 1, idempotencyKey: 'j/0' };
      const call = () => wrapped.run(1, { ...context, used: () => {}, log: () => {} });
      for (const [seconds, times] of [
        [269, 1],
        [271, 2],
        [400, 2],
        [900, 3],
      ] as const) {
        vi.setSystemTime(1_000 * seconds);
        expect(await Promise.all([call(), call(), call()])).toEqual(new Array(3).fill(secret.length));
        expect(asked).toHaveLength(times);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('is there before the first call also where only a header of the job has it', async () => {
    const asked: (readonly string[])[] = [];
    const vault = new ParameterVault('Fanloop', async (names) => {
      asked.push(names);
      return new Map(names.map((name) => [name, secret]));
    });
    const task = defineTask({ description: 'A test', input: z.unknown(), example: 1, run: () => 1 });
    await withSecrets(registryOf({ task }), vault).load('task', { authorization: 'Bearer {TOKEN}' });
    expect(asked).toEqual([['/fanloop/Fanloop/TOKEN']]);
  });

  it('has it taken out of values and logs', async () => {
    const { outcome, logged } = await start((_, { secrets, log }) => {
      log(`using ${secrets['KEY']}`, { headers: { authorization: `Bearer ${secrets['KEY']}` } });
      return { echo: [`Bearer ${secrets['KEY']}`] };
    });
    expect(await outcome).toEqual({ echo: ['Bearer {KEY}'] });
    expect(logged).toEqual([['using {KEY}', { headers: { authorization: 'Bearer {KEY}' } }]]);
  });

  it.each([
    ['an error', (key: string) => new Error(`bad key ${key}`), { code: 'TaskFailed', retryable: true }],
    [
      'an understood failure',
      (key: string) => new TaskError('no', { code: 'Busy', retryable: true, retryAfterMs: 7, body: key }),
      { code: 'Busy', retryable: true, retryAfterMs: 7, body: '{KEY}' },
    ],
  ])('has it taken out of %s, and its meaning stays', async (_what, failure, expected) => {
    const { outcome } = await start((_item, { secrets }) => {
      throw failure(secrets['KEY'] ?? '');
    });
    const error: unknown = await outcome.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(expected);
    expect(`${(error as Error).message} ${(error as Error).stack}`).not.toContain(secret);
  });

  it('fails as MissingSecret where there is none', async () => {
    const vault = new ParameterVault('Fanloop', async () => new Map());
    await expect(vault.read(['A', 'B'])).rejects.toMatchObject({
      code: 'MissingSecret',
      message: expect.stringContaining('A, B'),
    });
  });

  it('is refused for a name that is none', () => {
    const define = () =>
      defineTask({ description: 'x', input: z.unknown(), example: 1, secrets: ['no-name'], run: () => 1 });
    expect(define).toThrow('expected the name of a secret, as API_TOKEN, got "no-name"');
  });
});

describe('a secret in base64 or hexadecimal digits', () => {
  const odd = 'k>?k>?k\u00fc-7+/9';
  const bytes = (text: string): Buffer => Buffer.from(text);
  it.each<[string, string, string]>([
    ['alone', secret, bytes(secret).toString('base64')],
    ['alone, for a URL', odd, bytes(odd).toString('base64url')],
    ['alone, within a URL', odd, encodeURIComponent(bytes(odd).toString('base64'))],
    ['as hexadecimal digits', odd, bytes(odd).toString('hex')],
    ['as large hexadecimal digits', odd, bytes(odd).toString('hex').toUpperCase()],
    ...['', 'u', 'us', 'user:'].flatMap((before) =>
      ['', ':', '-a', '-ab'].flatMap((after): [string, string, string][] => [
        [`between "${before}" and "${after}"`, odd, bytes(before + odd + after).toString('base64')],
        [`between "${before}" and "${after}", for a URL`, odd, bytes(before + odd + after).toString('base64url')],
      ]),
    ),
  ])('%s is taken out of what is written', async (_where, value, text) => {
    const vault = new ParameterVault('Fanloop', async (names) => new Map(names.map((name) => [name, value])));
    await vault.read(['KEY']);
    const clean = vault.redact(`Basic ${text}.`);
    expect(clean).toContain('{KEY}');
    // What is left has at most the two bits of the secret's ends, and what stood around it.
    const left = clean.replace('{KEY}', '').slice('Basic '.length, -1);
    expect(left.length).toBeLessThanOrEqual(text.length - Math.floor((bytes(value).length * 8 - 10) / 6));
  });

  it('is left where it is too short to be told from other words', async () => {
    const vault = new ParameterVault('Fanloop', async (names) => new Map(names.map((name) => [name, 'abcd'])));
    await vault.read(['KEY']);
    expect(vault.redact('xYWJjZ abcd')).toBe('xYWJjZ {KEY}');
  });
});
