import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readItem, readValidItem } from '../../src/input/item.ts';
import { limits } from '../../src/limits.ts';
import { defineTask } from '../../src/task/task.ts';

const lineOf = (content: string | Uint8Array, number = 7) => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { number, start: 0, end: bytes.length, bytes };
};

const task = defineTask({
  description: 'A test',
  input: z.object({ deep: z.object({ n: z.int() }) }),
  example: { deep: { n: 1 } },
  run: () => 1,
});

describe('readItem', () => {
  it.each([
    ['null', null],
    ['"\u{2028}\u{fffe}"', '\u{2028}\u{fffe}'],
    [String.raw`"\ud800"`, '\ud800'],
    ['[[[[1]]]]', [[[[1]]]]],
    [' 1.5 ', 1.5],
  ])('reads %s as JSON', (text, value) => {
    expect(readItem(lineOf(text), 'ndjson')).toEqual(value);
  });

  it('reads __proto__ as a plain key', () => {
    const item = readItem(lineOf('{"__proto__":{"a":1}}'), 'ndjson');
    expect(Object.keys(Object(item))).toEqual(['__proto__']);
  });

  it('takes any line as text where the input is lines', () => {
    expect(readItem(lineOf('{not json'), 'lines')).toBe('{not json');
  });

  it('refuses what is no JSON with the line number and a short excerpt', () => {
    expect(() => readItem(lineOf(`{${'x'.repeat(500)}`), 'ndjson')).toThrow(
      /^line 7: expected one JSON value, got "\{x{59}…"$/,
    );
  });

  it.each(['ndjson', 'lines'] as const)('refuses bytes that are no UTF-8 in %s', (format) => {
    expect(() => readItem(lineOf(Uint8Array.of(0x22, 0xff, 0x22)), format)).toThrow(/^line 7: expected UTF-8/);
  });

  it('refuses an item of 1 MiB and one byte, and takes one of 1 MiB', () => {
    const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
    expect(readItem(lineOf(text(limits.maxItemBytes)), 'ndjson')).toHaveLength(limits.maxItemBytes - 2);
    expect(() => readItem(lineOf(text(limits.maxItemBytes + 1)), 'ndjson')).toThrow(/^line 7: .*got 1048577/);
  });
});

describe('readValidItem', () => {
  it('names line and path of what the schema refuses', async () => {
    await expect(readValidItem(lineOf('{"deep":{"n":"x"}}'), 'ndjson', task)).rejects.toMatchObject({
      code: 'InvalidItem',
      message: /^line 7: deep\.n: /,
    });
  });
});
