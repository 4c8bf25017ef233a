import { describe, expect, it } from 'vitest';
import { readItem } from '../../src/input/item.ts';
import { limits } from '../../src/limits.ts';

const lineOf = (content: string | Uint8Array, number = 7) => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { number, start: 100, end: bytes.length, bytes };
};

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

describe('an input that is no text', () => {
  it.each([
    ['gzip', [0x1f, 0x8b, 0x08, 0x00]],
    ['UTF-16', [0xff, 0xfe, 0x61, 0x00]],
    ['UTF-16', [0x61, 0x00, 0x62, 0x00]],
    ['UTF-16', [0x00, 0x61, 0x00, 0x62]],
    ['zip', [0x50, 0x4b, 0x03, 0x04]],
    ['Parquet', [0x50, 0x41, 0x52, 0x31]],
  ])('is named: %s', (name, bytes) => {
    const line = { ...lineOf(Uint8Array.from(bytes), 1), start: 0 };
    for (const format of ['ndjson', 'lines'] as const) {
      expect(() => readItem(line, format)).toThrow(`line 1: expected UTF-8 text, got ${name}`);
    }
  });
});
