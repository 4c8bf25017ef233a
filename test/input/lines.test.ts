import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, type LinesFrom, lineBatches, splitLines } from '../../src/input/lines.ts';
import { limits } from '../../src/limits.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* pieces(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Lines as plain values, since their bytes are only lent. */
async function split(input: Uint8Array | string, sizes: readonly number[] = [], from: LinesFrom = {}) {
  const lines: Array<Omit<Line, 'bytes'> & { text: string }> = [];
  const bytes = typeof input === 'string' ? encode(input) : input;
  for await (const { number, start, end, bytes: line } of splitLines(pieces(bytes, sizes), from)) {
    lines.push({ number, start, end, text: Buffer.from(line).toString('latin1') });
  }
  return lines;
}

const texts = async (input: string): Promise<string[]> => (await split(input)).map((line) => line.text);

describe('splitLines', () => {
  it.each([
    ['nothing', '', []],
    ['one line end', '\n', []],
    ['no line end at the end', '1\n2', ['1', '2']],
    ['a line end at the end', '1\n2\n', ['1', '2']],
    ['CRLF', '1\r\n2\r\n', ['1', '2']],
    ['CR at the very end', '1\n2\r', ['1', '2']],
    ['CR alone', '1\r2\r', ['1', '2']],
    ['all line ends in one text', '1\r\r\n2\n\r3\r\n', ['1', '2', '3']],
    ['blank lines', '\n\n1\n\r\n \t\n2\n\n', ['1', '2']],
    ['a byte-order mark', '\u{feff}1\n2', ['1', '2']],
    ['a byte-order mark alone', '\u{feff}', []],
    ['a byte-order mark on a blank line', '\u{feff}\r\n1', ['1']],
    ['spaces around a value, which stay', ' 1 \n', [' 1 ']],
  ])('takes %s', async (_, input, expected) => {
    expect(await texts(input)).toEqual(expected);
  });

  it('keeps a byte-order mark that is not at the start of the input', async () => {
    expect(await split('\u{feff}1', [], { offset: 9, lines: 4 })).toEqual([
      { number: 5, start: 9, end: 13, text: '\u{ef}\u{bb}\u{bf}1' },
    ]);
  });

  it('does not end a line at U+2028 or U+0085', async () => {
    expect(await split('a\u{2028}b\u{85}c')).toHaveLength(1);
  });

  it('counts blank lines in numbers and offsets', async () => {
    expect(await split('\n1\n\r\n22')).toEqual([
      { number: 2, start: 1, end: 3, text: '1' },
      { number: 4, start: 5, end: 7, text: '22' },
    ]);
  });

  it('gives the same lines however the stream is cut into pieces', async () => {
    const line = fc.constantFrom('', ' ', '\r', '1', '"é"', '{"a":"\u{2028}"}', '\u{feff}', 'x'.repeat(40), '\u{fffe}');
    const input = fc.tuple(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(input, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (given, sizes) => {
        const [lines, ending, isMarked, isEnded] = given;
        const bytes = encode(`${isMarked ? '\u{feff}' : ''}${lines.join(ending)}${isEnded ? ending : ''}`);
        const whole = await split(bytes);
        expect(await split(bytes, sizes)).toEqual(whole);
        // Reading again from any line's start finds that line and all behind it.
        for (const [i, { start, number }] of whole.entries()) {
          const rest = await split(bytes.subarray(start), sizes, { offset: start, lines: number - 1 });
          expect(rest).toEqual(whole.slice(i));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('takes a line of exactly 1 MiB with CRLF and a byte-order mark', async () => {
    const line = 'x'.repeat(limits.maxItemBytes);
    const lines = await split(`\u{feff}${line}\r\n1`, [65_536]);
    expect(lines.map(({ text }) => text.length)).toEqual([limits.maxItemBytes, 1]);
  });

  it('refuses a line that never ends by its number, without reading on', async () => {
    let read = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield encode('1\n\n');
      while (true) {
        read += 65_536;
        yield new Uint8Array(65_536).fill(0x61);
      }
    };
    const lines = splitLines(endless());
    await lines.next();
    await expect(lines.next()).rejects.toMatchObject({ code: 'ItemTooLarge', message: /^line 3: / });
    expect(read).toBeLessThan(2 * limits.maxItemBytes);
  });
});

describe('lineBatches', () => {
  const numbers = (lines: readonly Line[]): number[] => lines.map(({ number }) => number);

  it('hands on what a block has, at most a thousand lines together', async () => {
    const batches = await Array.fromAsync(lineBatches(pieces(encode('1\n'.repeat(2_500)), [4_000, 1_000])), numbers);
    expect(batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 500]);
    expect(batches.flat()).toEqual(Array.from({ length: 2_500 }, (_, n) => n + 1));
  });

  it('hands on what stands before the line that is too long', async () => {
    const lines = lineBatches(pieces(encode(`1\n2\n${'a'.repeat(2 * limits.maxItemBytes)}\n4\n`)));
    await expect(lines.next()).resolves.toMatchObject({ value: [{ number: 1 }, { number: 2 }] });
    await expect(lines.next()).rejects.toMatchObject({ code: 'ItemTooLarge', message: /^line 3: / });
  });
});
