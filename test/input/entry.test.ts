import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkEntry, readEntries, readEntry } from '../../src/input/entry.ts';
import { splitLines } from '../../src/input/lines.ts';
import { defineTask } from '../../src/task/task.ts';

const lineOf = (content: string) => {
  const bytes = new TextEncoder().encode(content);
  return { number: 7, start: 100, end: 100 + bytes.length, bytes };
};

const task = defineTask({
  description: 'A test',
  input: z.object({ deep: z.object({ n: z.int() }) }),
  example: { deep: { n: 1 } },
  run: () => 1,
});

describe('readEntry', () => {
  it.each([
    ['{"id":"a","x":1}', { item: { id: 'a', x: 1 }, key: 'a' }],
    ['{"id":0}', { item: { id: 0 }, key: 0 }],
    ['{"id":null}', { item: { id: null } }],
    ['{"id":{"a":1}}', { item: { id: { a: 1 } } }],
    ['{"__proto__":{"id":1}}', { item: JSON.parse('{"__proto__":{"id":1}}') }],
    ['[1]', { item: [1] }],
    ['"id"', { item: 'id' }],
    ['null', { item: null }],
  ])('takes the id of the item %s as its key, where it has one', (text, entry) => {
    expect(readEntry(lineOf(text), 'ndjson')).toEqual(entry);
  });

  it.each([
    ['{"item":1,"key":"k"}', { item: 1, key: 'k' }],
    ['{"item":null}', { item: null }],
    [
      '{"invalid":{"code":"InvalidItem","message":"line 3"},"key":4}',
      { invalid: { code: 'InvalidItem', message: 'line 3' }, key: 4 },
    ],
  ])('reads the entry %s', (text, entry) => {
    expect(readEntry(lineOf(text), 'entries')).toEqual(entry);
  });

  it.each([
    '1',
    'null',
    '{}',
    '{"key":1}',
    '{"item":1,"key":{}}',
    '{"invalid":1}',
    '{"invalid":{"code":1,"message":"m"}}',
  ])('refuses %s, which is no entry', (text) => {
    expect(() => readEntry(lineOf(text), 'entries')).toThrow(/^line 7: expected \{"item": …\}/);
  });
});

/** Both at once and by a promise. */
const check = async (...given: Parameters<typeof checkEntry>): Promise<void> => checkEntry(...given);

describe('checkEntry', () => {
  it('names line and path of what the schema refuses', async () => {
    await expect(check(lineOf('{"deep":{"n":"x"}}'), 'ndjson', task)).rejects.toMatchObject({
      code: 'InvalidItem',
      message: /^line 7: deep\.n: /,
    });
  });

  it('lets pass what is known to fail', async () => {
    await expect(check(lineOf('{"invalid":{"code":"X","message":"m"}}'), 'entries', task)).resolves.toBeUndefined();
  });
});

describe('readEntries', () => {
  const texts = fc.oneof(
    fc.json(),
    fc.constantFrom(
      '',
      '  ',
      '\t',
      '{"id":"a","x":1}',
      '{"item":1,"key":2}',
      '{]',
      '1e400',
      '12345678901234567890',
      'é',
      '\u{feff}1',
    ),
  );
  const format = fc.constantFrom<'ndjson' | 'lines' | 'entries'>('ndjson', 'lines', 'entries');

  it('reads plain lines in one go', () => {
    const bytes = new TextEncoder().encode('1\n\n{"id":"a"}\n');
    expect(readEntries(bytes, 'ndjson')).toEqual([{ item: 1 }, { item: { id: 'a' }, key: 'a' }]);
  });

  it('reads what is read line by line, or leaves it to that', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        format,
        async (all, end, ends, how) => {
          const bytes = new TextEncoder().encode(all.join(end) + (ends ? end : ''));
          const entries = readEntries(bytes, how);
          const source = async function* () {
            yield bytes;
          };
          const byLine = async () => {
            const found = [];
            for await (const line of splitLines(source())) found.push(readEntry(line, how));
            return found;
          };
          if (entries !== undefined) expect(entries).toEqual(await byLine());
        },
      ),
    );
  });
});
