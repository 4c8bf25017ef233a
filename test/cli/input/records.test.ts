import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOfText, type SourceFormat } from '../../../src/cli/input/formats.ts';
import { type RecordOptions, records } from '../../../src/cli/input/records.ts';
import { unpack } from '../../../src/cli/input/unpack.ts';
import { limits } from '../../../src/limits.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Items with their places; of what is wrong, the message. */
async function read(content: string | Uint8Array, format: SourceFormat, options: RecordOptions = {}, size = 5) {
  const found: Array<readonly [string, unknown]> = [];
  for await (const batch of records(pieces(Buffer.from(content), size), format, options)) {
    for (const record of batch) found.push([record.place, 'error' in record ? record.error.message : record.item]);
  }
  return found;
}

const items = async (...args: Parameters<typeof read>): Promise<unknown[]> =>
  (await read(...args)).map(([, item]) => item);

describe('a table', () => {
  it.each([
    ['commas', 'id,name\n1,Ada\n', {}],
    ['semicolons', 'id;name\n1;Ada\n', {}],
    ['tabs', 'id\tname\n1\tAda\n', {}],
    ['bars', 'id|name\r\n1|Ada', {}],
    ['CR alone', 'id,name\r1,Ada\r', {}],
    ['a byte-order mark', '\uFEFFid,name\n1,Ada', {}],
    ['blank lines', '\nid,name\n\n1,Ada\n\n', {}],
    ['names by option', '1,Ada\n', { columns: ['id', 'name'] }],
    ['comments', '# made today\nid,name\n#1,Bob\n1,Ada\n', { comment: '#' }],
    ['a delimiter by option', 'id:name\n1:Ada', { delimiter: ':' }],
  ])('with %s is rows of texts by the names of their columns', async (_, content, options) => {
    await expect(items(content, 'csv', options)).resolves.toEqual([{ id: '1', name: 'Ada' }]);
  });

  it('holds quotes, separators, and line ends in quoted cells, and names the line where a row begins', async () => {
    const content = 'id,text\n1,"a ""b"", c"\n2,"line\r\nend"\n3,""\n';
    await expect(read(content, 'csv')).resolves.toEqual([
      ['line 2', { id: '1', text: 'a "b", c' }],
      ['line 3', { id: '2', text: 'line\r\nend' }],
      ['line 5', { id: '3', text: '' }],
    ]);
  });

  it('has a column named __proto__ as any other', async () => {
    const [row] = await items('__proto__,a\n1,2', 'csv');
    expect(Object.entries(row as object)).toEqual([
      ['__proto__', '1'],
      ['a', '2'],
    ]);
  });

  it('names a row with too few or too many cells, and goes on', async () => {
    await expect(read('a,b\n1\n1,2\n1,2,3\n', 'csv')).resolves.toEqual([
      ['line 2', 'expected 2 cells, as many as there are columns, got 1'],
      ['line 3', { a: '1', b: '2' }],
      ['line 4', 'expected 2 cells, as many as there are columns, got 3'],
    ]);
  });

  it.each([
    ['a,a\n1,2', 'line 1: expected each column to have its own name, got "a" twice'],
    ['a,,b\n1,2,3', 'line 1: expected a name for column 2'],
    ['a,b\n1,"2\n3', 'expected the quote to end, got the end of the input'],
    ['a,b\n1,x"y"\n', 'expected a quote only at the start of a cell'],
    ['a,b\n1,"x"y\n', 'expected a separator or a line end behind the closing quote'],
  ])('refuses %j', async (content, message) => {
    await expect(read(content, 'csv')).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(message),
    });
  });

  it('refuses bytes that are no UTF-8', async () => {
    await expect(read(Buffer.from('name\nJos\xe9\n', 'latin1'), 'csv')).rejects.toThrow(
      'expected UTF-8, got other bytes',
    );
  });
});

describe('JSON', () => {
  it.each([
    ['an array', '[1, "a,]", {"b":[2]}, [3], null]', [1, 'a,]', { b: [2] }, [3], null]],
    ['an array over several lines', '[\n  {\n    "a": 1\n  },\n  2\n]\n', [{ a: 1 }, 2]],
    ['an empty array', ' [ ] ', []],
    ['one object over several lines', '{\n "a": 1\n}', [{ a: 1 }]],
    ['objects one after another', '{"a":1}{"a":2}\n{"a":3} 4 "5"', [{ a: 1 }, { a: 2 }, { a: 3 }, 4, '5']],
    ['escapes', '["\\"]\\\\", "\\u005d"]', ['"]\\', ']']],
    ['a byte-order mark', '\uFEFF[1]', [1]],
  ])('reads %s', async (_, content, expected) => {
    for (const size of [1, 2, 3, 1_000]) await expect(items(content, 'json', {}, size)).resolves.toEqual(expected);
  });

  it('keeps each value on one line, with its digits', async () => {
    const found: string[] = [];
    for await (const batch of records(pieces(Buffer.from('[{\n"n":\r\n12345678901234567890}]'), 4), 'json', {})) {
      for (const record of batch) if ('json' in record) found.push(Buffer.from(record.json).toString());
    }
    expect(found).toEqual(['{ "n":  12345678901234567890}']);
  });

  it.each([
    ['[1,2', 'expected the array to end behind item 2, got the end of the input'],
    ['[1,]', 'item 2: expected a value behind the comma'],
    ['[1,,2]', 'item 2: expected a value, got a comma'],
    ['[,1]', 'item 1: expected a value, got a comma'],
    ['["a" "b"]', 'expected a comma behind item 1'],
    ['[{"a":1}', 'expected the array to end behind item 1'],
    ['[{"a":', 'item 1: expected a whole value'],
    ['[1] 2', 'expected nothing behind the array of 1 items'],
  ])('refuses %s', async (content, message) => {
    await expect(read(content, 'json')).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a value over 1 MiB by its number, without reading on', async () => {
    await expect(read(`[1,"${'x'.repeat(limits.maxItemBytes)}`, 'json', {}, 65_536)).rejects.toMatchObject({
      code: 'ItemTooLarge',
      message: expect.stringContaining('item 2: '),
    });
  });

  it('reads whatever JSON writes, however it is cut and laid out', async () => {
    const values = fc.array(fc.jsonValue(), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        values,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(undefined, 2),
        async (given, size, indent) => {
          const expected = JSON.parse(JSON.stringify(given));
          expect(await items(JSON.stringify(given, null, indent), 'json', {}, size)).toEqual(expected);
          // One after another they are as good, unless the first is an array: then it is taken for the whole.
          const sequence = [{}, ...expected];
          const text = sequence.map((value) => JSON.stringify(value, null, indent)).join('\n');
          expect(await items(text, 'json', {}, size)).toEqual(sequence);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('lines', () => {
  it('leaves out comments where they are named', async () => {
    const content = '# links\nhttps://a.example/#x\n  # more\nhttps://b.example\n';
    await expect(items(content, 'lines', { comment: '#' })).resolves.toEqual([
      'https://a.example/#x',
      'https://b.example',
    ]);
    await expect(items(content, 'lines')).resolves.toHaveLength(4);
  });

  it('never glues two of them into one, whatever ends them', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      await expect(items(['https://a.example', 'https://b.example', ''].join(end), 'lines')).resolves.toEqual([
        'https://a.example',
        'https://b.example',
      ]);
    }
  });
});

describe('unpack', () => {
  const text = 'https://a.example/ä\nhttps://b.example\n';
  const read = async (bytes: Uint8Array, size = 3) => {
    const unpacked = await unpack(pieces(bytes, size), 'urls.txt');
    return { text: Buffer.concat(await Array.fromAsync(unpacked.bytes)).toString(), was: unpacked.was };
  };
  const utf16 = (bigEndian: boolean, mark: string): Buffer => {
    const bytes = Buffer.from(`${mark}${text}`, 'utf16le');
    return bigEndian ? bytes.swap16() : bytes;
  };

  it.each([
    ['plain text', Buffer.from(text), []],
    ['gzip', gzipSync(text), ['gzip']],
    ['two gzip members', Buffer.concat([gzipSync(text.slice(0, 20)), gzipSync(text.slice(20))]), ['gzip']],
    ['gzip within gzip', gzipSync(gzipSync(text)), ['gzip', 'gzip']],
    ['UTF-16 with a mark', utf16(false, '\uFEFF'), ['UTF-16']],
    ['UTF-16 with a mark, big end first', utf16(true, '\uFEFF'), ['UTF-16']],
    ['UTF-16 without a mark', utf16(false, ''), ['UTF-16']],
    ['UTF-16 in gzip', gzipSync(utf16(true, '\uFEFF')), ['gzip', 'UTF-16']],
    ['nothing', Buffer.alloc(0), []],
  ])('reads %s whatever it is called', async (_, bytes, was) => {
    const expected = bytes.length === 0 ? '' : text;
    for (const size of [1, 3, 10_000]) await expect(read(bytes, size)).resolves.toEqual({ text: expected, was });
  });

  it.each([
    ['zip', Buffer.from('PK\x03\x04xxxx', 'latin1'), 'expected urls.txt to be text, got zip'],
    ['Parquet', Buffer.from('PAR1xxxx'), 'got Parquet'],
  ])('names %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(message),
    });
  });

  it('says that gzip ends too early or is damaged', async () => {
    const packed = gzipSync(text.repeat(5_000));
    await expect(read(packed.subarray(0, packed.length - 20), 100)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('ends too early'),
    });
    const damaged = Buffer.from(packed).fill(0xff, 40, 80);
    await expect(read(damaged, 100)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('damaged'),
    });
  });
});

describe('formatOfText', () => {
  it.each([
    ['{"a":1}\n{"a":2}', 'ndjson'],
    ['{\n"a":1}', 'json'],
    ['[{"a":1}]', 'json'],
    ['https://a.example/?a=1,2\nhttps://b.example/?a=1,2', 'lines'],
    ['id,name\n1,Ada', 'csv'],
    ['id\tname\n1\tAda', 'tsv'],
    ['one\ntwo', 'lines'],
    ['1\n2', 'ndjson'],
    ['"id","name"\n"1","Ada"', 'csv'],
    ['', 'lines'],
  ])('takes %j for %s', (start, format) => {
    expect(formatOfText(start)).toBe(format);
  });
});
