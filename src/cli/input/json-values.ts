import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';

/** One value of a JSON text: its own bytes, so that not a digit of it changes. */
export interface JsonValue {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

const open = new Set([0x5b, 0x7b]);
const close = new Set([0x5d, 0x7d]);
const space = new Set([0x20, 0x09, 0x0a, 0x0d]);
const [quote, backslash, comma, openArray, closeArray] = [0x22, 0x5c, 0x2c, 0x5b, 0x5d] as const;

/**
 * Cuts a stream into its JSON values: the elements of the one array that it is, or values one after another, however they are laid out.
 * Only brackets, quotes, and commas are looked at; whether a value is JSON its parser will say. A parser that builds values as it
 * goes would lose digits of long numbers, and is several times slower.
 *
 * @throws UsageError `InvalidInput` when the array does not end or has an empty element, `ItemTooLarge` when a value is over 1 MiB
 */
export async function* jsonValues(source: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue> {
  let number = 0;
  let mode: 'start' | 'array' | 'values' | 'end' = 'start';
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** A value has begun; a scalar at the top ends at a space or comma. */
  let begun = false;
  let afterComma = false;
  let carried: Buffer[] = [];
  let carriedBytes = 0;

  for await (const block of source) {
    const data = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    let from = 0;
    const take = (to: number): JsonValue => {
      const bytes = Buffer.concat([...carried, data.subarray(from, to)]);
      carried = [];
      carriedBytes = 0;
      begun = false;
      afterComma = false;
      number++;
      requireSize(number, bytes.length);
      return { number, bytes };
    };
    for (let i = 0; i < data.length; i++) {
      const byte = data[i] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) {
          inString = false;
          if (depth === 0) yield take(i + 1);
        }
        continue;
      }
      if (!begun) {
        if (space.has(byte) || (number === 0 && mode === 'start' && isMark(byte))) continue;
        if (mode === 'start' && byte === openArray) {
          mode = 'array';
          continue;
        }
        if (mode === 'start') mode = 'values';
        if (mode === 'end') throw damaged(`expected nothing behind the array of ${number} items, got more`);
        if (mode === 'array' && byte === closeArray) {
          if (afterComma)
            throw damaged(`item ${number + 1}: expected a value behind the comma, got the end of the array`);
          mode = 'end';
          continue;
        }
        if (mode === 'array' && byte === comma) {
          if (afterComma || number === 0) throw damaged(`item ${number + 1}: expected a value, got a comma`);
          afterComma = true;
          continue;
        }
        if (mode === 'array' && number > 0 && !afterComma) throw damaged(`expected a comma behind item ${number}`);
        begun = true;
        from = i;
        if (byte === quote) inString = true;
        else if (open.has(byte)) depth = 1;
        continue;
      }
      if (depth === 0) {
        const ends = space.has(byte) || (mode === 'array' && (byte === comma || byte === closeArray));
        if (!ends) continue;
        yield take(i);
        i--;
      } else if (byte === quote) inString = true;
      else if (open.has(byte)) depth++;
      else if (close.has(byte)) {
        depth--;
        if (depth === 0) yield take(i + 1);
      }
    }
    if (!begun) continue;
    carried.push(Buffer.from(data.subarray(from)));
    carriedBytes += data.length - from;
    requireSize(number + 1, carriedBytes);
  }
  if (depth > 0 || inString)
    throw damaged(`item ${number + 1}: expected a whole value, got the end of the input within it`);
  if (begun) yield { number: ++number, bytes: Buffer.concat(carried) };
  if (mode === 'array') throw damaged(`expected the array to end behind item ${number}, got the end of the input`);
}

/** The bytes of a byte-order mark. */
const isMark = (byte: number): boolean => byte === 0xef || byte === 0xbb || byte === 0xbf;

const damaged = (problem: string): UsageError => new UsageError('InvalidInput', problem);

function requireSize(number: number, bytes: number): void {
  if (bytes <= limits.maxItemBytes) return;
  throw new UsageError(
    'ItemTooLarge',
    `item ${number}: expected an item of at most ${limits.maxItemBytes} bytes, got more; store large data in S3 and pass its address`,
  );
}
