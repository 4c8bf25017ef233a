import { parseJson } from '../format/json.ts';
import type { InputFormat } from '../format/manifest.ts';
import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';
import type { Line } from './lines.ts';
import { packedAdvice, sniffPacked } from './sniff.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the item of a line.
 *
 * @throws UsageError `InvalidInput` when the line is no UTF-8 or no JSON, `ItemTooLarge` when it is over 1 MiB; both name the line.
 */
export function readItem(line: Line, format: InputFormat): unknown {
  if (line.bytes.length > limits.maxItemBytes) {
    throw new UsageError(
      'ItemTooLarge',
      `line ${line.number}: expected an item of at most ${limits.maxItemBytes} bytes, got ${line.bytes.length}; store large data in S3 and pass its address`,
    );
  }
  const packed = line.start === 0 ? sniffPacked(line.bytes) : undefined;
  if (packed !== undefined) {
    throw new UsageError('InvalidInput', `line 1: expected UTF-8 text, got ${packed}; ${packedAdvice[packed]}`);
  }
  let text: string;
  try {
    text = decoder.decode(line.bytes);
  } catch (cause) {
    throw new UsageError(
      'InvalidInput',
      `line ${line.number}: expected UTF-8, got other bytes; convert the input to UTF-8`,
      { cause },
    );
  }
  if (format === 'lines') return text;
  try {
    return parseJson(text);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new UsageError('InvalidInput', `line ${line.number}: ${cause.message}; write it as a text`, { cause });
    }
    throw new UsageError('InvalidInput', `line ${line.number}: expected one JSON value, got ${excerpt(text)}`, {
      cause,
    });
  }
}

function excerpt(text: string): string {
  const shown = 60;
  return JSON.stringify(text.length > shown ? `${text.slice(0, shown)}…` : text);
}
