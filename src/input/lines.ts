import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';

/** One line of an input that is not blank. */
export interface Line {
  /** From 1, blank lines included. */
  readonly number: number;
  /** Offset of the line's first byte, and of the byte after its line end. */
  readonly start: number;
  readonly end: number;
  /** The line without its line end and without a byte-order mark; valid until the next line is asked for. */
  readonly bytes: Uint8Array;
}

/** Where a stream of bytes begins within its input. */
export interface LinesFrom {
  /** @default 0 */
  readonly offset?: number;
  /** Lines before the offset. @default 0 */
  readonly lines?: number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf] as const;

/**
 * Splits bytes into lines at `\n` or `\r\n`, leaving out blank ones and a byte-order mark at offset 0.
 *
 * @throws UsageError `ItemTooLarge` when a line is longer than an item may be.
 */
export async function* splitLines(source: AsyncIterable<Uint8Array>, from: LinesFrom = {}): AsyncGenerator<Line> {
  let number = from.lines ?? 0;
  let start = from.offset ?? 0;
  let carried: Uint8Array[] = [];
  let carriedBytes = 0;

  for await (const data of source) {
    let at = 0;
    for (let end = data.indexOf(newline, at); end !== -1; end = data.indexOf(newline, at)) {
      number++;
      const tail = data.subarray(at, end);
      requireLength(number, carriedBytes + tail.length);
      const whole = carriedBytes === 0 ? tail : join([...carried, tail], carriedBytes + tail.length);
      const length = carriedBytes + tail.length + 1;
      const bytes = trim(whole, start);
      if (!isBlank(bytes)) yield { number, start, end: start + length, bytes };
      start += length;
      carried = [];
      carriedBytes = 0;
      at = end + 1;
    }
    if (at < data.length) {
      carried.push(data.subarray(at));
      carriedBytes += data.length - at;
      requireLength(number + 1, carriedBytes);
    }
  }
  if (carriedBytes > 0) {
    const bytes = trim(join(carried, carriedBytes), start);
    if (!isBlank(bytes)) yield { number: number + 1, start, end: start + carriedBytes, bytes };
  }
}

/** A line end and a byte-order mark do not belong to the item. */
const lineOverhead = 1 + byteOrderMark.length;

function requireLength(number: number, bytes: number): void {
  if (bytes <= limits.maxItemBytes + lineOverhead) return;
  throw new UsageError(
    'ItemTooLarge',
    `line ${number}: expected an item of at most ${limits.maxItemBytes} bytes, got more; store large data in S3 and pass its address`,
  );
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function trim(line: Uint8Array, offset: number): Uint8Array {
  const marked = offset === 0 && byteOrderMark.every((byte, i) => line[i] === byte);
  const from = marked ? byteOrderMark.length : 0;
  const to = line.at(-1) === carriageReturn ? line.length - 1 : line.length;
  return line.subarray(from, Math.max(from, to));
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === carriageReturn);
}
