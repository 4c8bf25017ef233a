import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';

/** One line of an input that is not blank. */
export interface Line {
  /** From 1, blank lines included. */
  readonly number: number;
  /** Offset of the line's first byte, and of the byte after its line end. */
  readonly start: number;
  readonly end: number;
  /** The line without its line end and without a byte-order mark; valid until more lines are asked for. */
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

/** Lines are handed on when there are so many: to wait for each takes several times as long as what is done with it. */
const batchLines = 1_000;

/** {@link lineBatches}, line by line. */
export async function* splitLines(source: AsyncIterable<Uint8Array>, from: LinesFrom = {}): AsyncGenerator<Line> {
  for await (const lines of lineBatches(source, from)) for (const line of lines) yield line;
}

/**
 * Splits bytes into lines at `\n`, `\r\n`, or a lone `\r` as spreadsheets on old Macs write it, leaving out blank ones
 * and a byte-order mark at offset 0. Lines that are there come together, and their bytes are valid until more are asked for.
 *
 * @throws UsageError `ItemTooLarge` when a line is longer than an item may be, after the lines before it.
 */
export async function* lineBatches(
  source: AsyncIterable<Uint8Array>,
  from: LinesFrom = {},
): AsyncGenerator<readonly Line[]> {
  let number = from.lines ?? 0;
  let start = from.offset ?? 0;
  let carried: Uint8Array[] = [];
  let carriedBytes = 0;
  /** The last block ended with `\r`: a `\n` at the start of the next one belongs to the same line end. */
  let isOpen = false;
  let batch: Line[] = [];

  const take = (data: Uint8Array, { at, end, ends }: LineEnd & { readonly at: number }): void => {
    number++;
    const tail = data.subarray(at, end);
    requireLength(number, carriedBytes + tail.length);
    const whole = carriedBytes === 0 ? tail : join([...carried, tail], carriedBytes + tail.length);
    const line = { number, start, end: start + whole.length + ends, bytes: withoutMark(whole, start) };
    start = line.end;
    carried = [];
    carriedBytes = 0;
    if (!isBlank(line.bytes)) batch.push(line);
  };
  const taken = (): readonly Line[] => {
    const lines = batch;
    batch = [];
    return lines;
  };

  try {
    for await (const data of source) {
      if (data.length === 0) continue;
      let at = 0;
      if (isOpen) {
        const ends = data[0] === newline ? 2 : 1;
        take(data, { at: 0, end: 0, ends });
        at = ends - 1;
        isOpen = false;
      }
      const next = lineEnds(data);
      for (let found = next(at); found !== undefined; found = next(at)) {
        if (found.ends === 0) {
          carried.push(data.subarray(at, found.end));
          carriedBytes += found.end - at;
          at = data.length;
          isOpen = true;
          break;
        }
        take(data, { at, end: found.end, ends: found.ends });
        at = found.end + found.ends;
        if (batch.length >= batchLines) yield taken();
      }
      if (at < data.length) {
        carried.push(data.subarray(at));
        carriedBytes += data.length - at;
        requireLength(number + 1, carriedBytes);
      }
      if (batch.length > 0) yield taken();
    }
    take(nothing, { at: 0, end: 0, ends: isOpen ? 1 : 0 });
  } catch (error) {
    if (batch.length > 0) yield taken();
    throw error;
  }
  if (batch.length > 0) yield taken();
}

/** Where a line ends, and how long its line end is: 0 where only the next block can tell. */
interface LineEnd {
  readonly end: number;
  readonly ends: 0 | 1 | 2;
}

const nothing = new Uint8Array();

/** Finds the line ends of a block from left to right; each byte is looked at once for each of the two characters. */
function lineEnds(data: Uint8Array): (at: number) => LineEnd | undefined {
  let lineFeed = data.indexOf(newline);
  let carriage = data.indexOf(carriageReturn);
  return (at) => {
    if (lineFeed !== -1 && lineFeed < at) lineFeed = data.indexOf(newline, at);
    if (carriage !== -1 && carriage < at) carriage = data.indexOf(carriageReturn, at);
    if (carriage === -1 || (lineFeed !== -1 && lineFeed < carriage)) {
      return lineFeed === -1 ? undefined : { end: lineFeed, ends: 1 };
    }
    if (carriage === data.length - 1) return { end: carriage, ends: 0 };
    return { end: carriage, ends: lineFeed === carriage + 1 ? 2 : 1 };
  };
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

function withoutMark(line: Uint8Array, offset: number): Uint8Array {
  const isMarked = offset === 0 && byteOrderMark.every((byte, i) => line[i] === byte);
  return isMarked ? line.subarray(byteOrderMark.length) : line;
}

function isBlank(line: Uint8Array): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09) return false;
  return true;
}
