import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { limits } from '../../src/limits.ts';
import { defineTask, parseItem } from '../../src/task/task.ts';

const base = { description: 'A test', input: z.object({ n: z.int() }), example: { n: 1 }, run: () => 1 };
const context = {
  attempt: 1,
  idempotencyKey: 'j/0',
  log: () => undefined,
  used: () => undefined,
  signal: new AbortController().signal,
};

describe('defineTask', () => {
  it('fills in the limits that a task does not name', () => {
    expect(defineTask(base)).toMatchObject({
      timeoutMs: limits.timeoutMs,
      attempts: limits.attempts,
      maxValueBytes: limits.valueBytes,
    });
  });

  it.each([
    { timeoutMs: 0 },
    { timeoutMs: limits.maxTimeoutMs + 1 },
    { attempts: 21 },
    { attempts: 1.5 },
    { maxValueBytes: limits.maxValueBytes + 1 },
    { timeoutMs: Number.NaN },
  ])('refuses %j', (wrong) => {
    const [[name]] = Object.entries(wrong) as [[string, number]];
    expect(() => defineTask({ ...base, ...wrong })).toThrow(new RegExp(`^expected ${name} to be a whole number`));
  });

  it('turns what a task throws before its first await into a rejection', async () => {
    const task = defineTask({
      ...base,
      run: () => {
        throw new Error('no');
      },
    });
    await expect(task.run({ n: 1 }, context)).rejects.toThrow('no');
  });
});

describe('parseItem', () => {
  it('gives what the schema makes of an item', async () => {
    const task = defineTask({ ...base, input: z.object({ n: z.coerce.number() }) });
    expect(await parseItem(task, { n: '7', more: 1 })).toEqual({ ok: true, value: { n: 7 } });
  });

  it('names the path of a problem within the item', async () => {
    const task = defineTask({ ...base, input: z.object({ a: z.array(z.object({ n: z.int() })) }), example: { a: [] } });
    expect(await parseItem(task, { a: [{ n: 1 }, { n: 'x' }] })).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^a\.1\.n: /),
    });
    expect(await parseItem(task, 7)).toMatchObject({ ok: false, problem: expect.stringMatching(/^Invalid input/) });
  });

  it('waits for a schema that checks asynchronously', async () => {
    const task = defineTask({ ...base, input: z.object({ n: z.int().refine(async (n) => n > 5) }) });
    expect((await parseItem(task, { n: 1 })).ok).toBe(false);
    expect((await parseItem(task, { n: 9 })).ok).toBe(true);
  });

  it('refuses the item, and nothing else, when the schema itself throws', async () => {
    const task = defineTask({
      ...base,
      input: z.object({ n: z.string().transform((text) => JSON.parse(text)) }),
      example: { n: '1' },
    });
    expect(await parseItem(task, { n: '{' })).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^the task's schema threw: /),
    });
    expect(await parseItem(task, { n: '[1]' })).toEqual({ ok: true, value: { n: [1] } });
  });
});
