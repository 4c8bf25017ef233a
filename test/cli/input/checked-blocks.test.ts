import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { argumentRecords, checkedBlocks, type ItemOptions } from '../../../src/cli/input/checked-blocks.ts';
import type { SourceFormat } from '../../../src/cli/input/formats.ts';
import { type NamedRecord, named, type RecordOptions, records } from '../../../src/cli/input/records.ts';
import { defineTask, type Task } from '../../../src/task/task.ts';

const taskOf = (input: z.ZodType): Task =>
  defineTask({ description: 'Takes anything', input, example: null, run: async (item) => item });
const anything = taskOf(z.unknown());
const number = taskOf(z.strictObject({ n: z.number('expected a number') }));
const textOrNumber = taskOf(z.union([z.string(), z.number()]));
const text = taskOf(z.string('expected a text'));

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Source = { readonly records: (task: Task) => AsyncIterable<readonly NamedRecord[]>; readonly name: string };

const stream = (
  content: string | Uint8Array,
  format: SourceFormat = 'ndjson',
  size = 7,
  options: RecordOptions = {},
): Source => ({
  name: 'in.ndjson',
  records: () => named('in.ndjson', records(pieces(Buffer.from(content), size), format, options)),
});

const given = (items: readonly string[]): Source => ({
  name: 'the arguments',
  records: (task) => argumentRecords(items, task),
});

async function read(
  { records, name }: Source,
  task: Task,
  options: ItemOptions = {},
): Promise<{ text: string; items: number }> {
  const blocks = await Array.fromAsync(checkedBlocks(records(task), task, { ...options, name }));
  return {
    text: Buffer.concat(blocks.map(({ bytes }) => bytes)).toString(),
    items: blocks.reduce((sum, { items }) => sum + items, 0),
  };
}

const linesOf = async (...args: Parameters<typeof read>): Promise<unknown[]> =>
  (await read(...args)).text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('checkedBlocks', () => {
  it.each([
    ['U+2028 and U+FFFE', '"\u2028\uFFFE\uFFFF"'],
    ['lone surrogates as escapes', '"\\ud800 \\udfff"'],
    ['keys named __proto__', '{"__proto__":{"x":1},"constructor":2}'],
    ['keys that occur twice', '{"a":1,"a":2}'],
    ['numbers beyond a double', '123456789012345678901234567890.10'],
    ['white space within', '{ "a" :\t[ 1 , 2 ] }'],
    ['astral characters', '"😀"'],
    ['depth', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['900 KB', JSON.stringify('x'.repeat(900_000))],
  ])('passes %s as the very bytes that were given', async (_, line) => {
    await expect(read(stream(`${line}\n${line}`, 'ndjson', 100_003), anything)).resolves.toEqual({
      text: `${line}\n${line}\n`,
      items: 2,
    });
  });

  it('leaves out a byte-order mark, carriage returns, and blank lines, and ends the last line', async () => {
    const source = stream('\uFEFF1\r\n\r\n \t \n2\n\n3');
    await expect(read(source, anything)).resolves.toEqual({ text: '1\n2\n3\n', items: 3 });
  });

  it('makes each line of a text file one JSON text', async () => {
    const source = stream('a "quoted" text\r\n\n{"not": "parsed"}\n\\', 'lines');
    await expect(read(source, text)).resolves.toEqual({
      text: `${['a "quoted" text', '{"not": "parsed"}', '\\'].map((line) => JSON.stringify(line)).join('\n')}\n`,
      items: 3,
    });
  });

  it('cuts a large input into blocks over 5 MiB of whole lines', async () => {
    const line = JSON.stringify('y'.repeat(1_000_000));
    const source = stream(`${line}\n`.repeat(20), 'ndjson', 1_048_576);
    const blocks = await Array.fromAsync(checkedBlocks(source.records(anything), anything, { name: source.name }));
    expect(blocks.length).toBeGreaterThan(1);
    for (const { bytes } of blocks.slice(0, -1)) expect(bytes.length).toBeGreaterThanOrEqual(5 * 1_048_576);
    for (const { bytes } of blocks) expect(bytes.at(-1)).toBe(0x0a);
    expect(blocks.reduce((sum, { items }) => sum + items, 0)).toBe(20);
  });

  it.each([
    ['no JSON', '{"n":1}\n\n{n:2}', 'InvalidInput', 'in.ndjson, line 3: expected one JSON value, got "{n:2}"'],
    ['two values', '{"n":1} {"n":2}', 'InvalidInput', 'in.ndjson, line 1: expected one JSON value'],
    ['a refusal by the schema', '{"n":1}\n{"n":"2"}', 'InvalidItem', 'in.ndjson, line 2: n: expected a number'],
    ['nothing', '', 'EmptyInput', 'expected at least one item, got none from in.ndjson'],
    ['only blank lines', '\uFEFF\n \r\n\n', 'EmptyInput', 'expected at least one item, got none from in.ndjson'],
  ])('refuses %s', async (_, content, code, message) => {
    await expect(read(stream(content), number)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('refuses bytes that are no UTF-8', async () => {
    const source = stream(Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]));
    await expect(read(source, anything)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('in.ndjson, line 1: expected UTF-8'),
    });
  });

  it.each([
    ['a JSON line', JSON.stringify('z'.repeat(1_048_575)), 'ndjson'],
    ['an endless line', 'z'.repeat(3_000_000), 'ndjson'],
    ['a text whose JSON is longer', '"'.repeat(700_000), 'lines'],
  ] as const)('refuses %s over 1 MiB', async (_, line, format) => {
    await expect(read(stream(`"a"\n${line}\n`, format, 65_536), text)).rejects.toMatchObject({
      code: 'ItemTooLarge',
      message: expect.stringContaining('in.ndjson, line 2: expected an item of at most 1048576 bytes'),
    });
  });

  it('takes an item of exactly 1 MiB', async () => {
    const line = JSON.stringify('z'.repeat(1_048_574));
    await expect(read(stream(`${line}\r\n`, 'ndjson', 65_536), text)).resolves.toEqual({ text: `${line}\n`, items: 1 });
  });

  it('takes an argument as JSON, unless only its plain text fits', async () => {
    const items = ['7', '"seven"', 'seven', '{"n":7}', 'null'];
    await expect(read(given(items), textOrNumber)).resolves.toEqual({
      text: `7\n"seven"\n"seven"\n${JSON.stringify('{"n":7}')}\n"null"\n`,
      items: 5,
    });
  });

  it('puts an argument of several lines on one', async () => {
    const source = given(['{\r\n  "n": 1\n}']);
    await expect(read(source, number)).resolves.toEqual({ text: '{    "n": 1 }\n', items: 1 });
  });

  it.each([
    [['{"n":1}', '{"n":"x"}'], 'InvalidItem', 'item 2: n: expected a number'],
    [['x'.repeat(1_048_577)], 'ItemTooLarge', 'item 1: expected at most 1048576 bytes, got 1048577'],
  ])('refuses the arguments', async (items, code, message) => {
    await expect(read(given(items), number)).rejects.toMatchObject({ code, message });
  });

  it('names the first ten refused items at once, with what lets them fail alone', async () => {
    const content = Array.from({ length: 30 }, (_, i) => `{"n":${i % 2 === 0 ? i : '"x"'}}`).join('\n');
    await expect(read(stream(content), number)).rejects.toMatchObject({
      code: 'InvalidItem',
      message: expect.stringMatching(
        /^the first 10 refused items are: in\.ndjson, line 2: .*line 20: .*--on-invalid fail-item$/,
      ),
    });
    await expect(read(stream('1\n{"n":1}\n{n'), number)).rejects.toThrow(/^2 items are refused: .*line 1: .*line 3: /);
  });

  it('lets refused items fail alone, each with its line, and runs the others', async () => {
    const source = stream('{"n":1}\n\n{"n":"x"}\n{n\n{"n":4}');
    await expect(linesOf(source, number, { onInvalid: 'fail-item' })).resolves.toEqual([
      { item: { n: 1 } },
      { invalid: { code: 'InvalidItem', message: 'in.ndjson, line 3: n: expected a number' } },
      {
        invalid: {
          code: 'InvalidInput',
          message: expect.stringContaining('in.ndjson, line 4: expected one JSON value'),
        },
      },
      { item: { n: 4 } },
    ]);
  });

  it('passes the field that --key names to the entry, and refuses a record without it', async () => {
    const source = stream('no,n\n007,1\n8,2\n', 'csv');
    const map = '{"n":"{n:number}"}';
    await expect(linesOf(source, number, { key: 'no', map })).resolves.toEqual([
      { key: '007', item: { n: 1 } },
      { key: '8', item: { n: 2 } },
    ]);
    await expect(read(source, number, { key: 'nr', map })).rejects.toThrow(
      'line 2: expected a text or number in the field "nr" for --key, got no, n',
    );
  });

  it('keeps the digits of a long number in an entry', async () => {
    const line = '{"n": 12345678901234567890.123}';
    await expect(read(stream(line), anything, { key: 'n' })).resolves.toMatchObject({
      text: expect.stringContaining(`"item":${line}}`),
    });
  });

  it('takes a part of the input', async () => {
    const source = stream('0\n1\n2\n3\n4\n5\n6\n');
    await expect(linesOf(source, anything, { skip: 2, limit: 3 })).resolves.toEqual([2, 3, 4]);
    await expect(linesOf(source, anything, { limit: 1 })).resolves.toEqual([0]);
    const sample = (await linesOf(source, anything, { sample: 4 })) as number[];
    expect(sample).toHaveLength(4);
    expect([...new Set(sample)].sort()).toEqual(sample);
    await expect(linesOf(source, anything, { sample: 40 })).resolves.toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('does not read on behind the limit', async () => {
    await expect(linesOf(stream('1\n{no json'), anything, { limit: 1 })).resolves.toEqual([1]);
  });

  it.each([
    ['id;name\n1;x', 'look like a table', '"id;name"; it looks like CSV: say --format csv'],
    ['just a text', 'are texts', 'where a line is a text, say --format lines'],
  ])('says what %j may be, whose lines %s', async (content, _, message) => {
    await expect(read(stream(content), _ === 'are texts' ? text : number)).rejects.toThrow(message);
  });
});

describe('a schema that never answers', () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['an item', given(['1']), 'item 1'],
    ['a line', stream('"a"\n'), 'in.ndjson, line 1'],
    ['a line that is no JSON', stream('a\n'), 'in.ndjson, line 1'],
  ])('ends the command by one sentence: %s', async (_, source, place) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const silent = taskOf(z.unknown().refine(() => new Promise(() => {})));
    const refused = expect(read(source, silent)).rejects.toMatchObject({
      code: 'UnknownTask',
      message: `${place}: expected the task's schema to answer within 10 s, got an await that does not end`,
    });
    await vi.waitUntil(() => vi.getTimerCount() > 0);
    await vi.runAllTimersAsync();
    await refused;
  });

  it('keeps no timer for items that it has checked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const slow = taskOf(z.unknown().refine(async () => true));
    expect((await read(stream('1\n2\n3\n'), slow)).items).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});
