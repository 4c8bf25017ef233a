import { readItem } from '../../input/item.ts';
import { type Line, lineBatches } from '../../input/lines.ts';
import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';
import type { SourceFormat } from './formats.ts';
import { jsonValues } from './json-values.ts';
import { type TableOptions, tableRows } from './table.ts';

/** One item as its source has it, before it is checked. */
export interface SourceRecord {
  /** Where it stands, as `line 7` or `item 7`. */
  readonly place: string;
  readonly item: unknown;
  /** Its JSON on one line, byte for byte where the source is JSON; valid until more records are asked for. */
  readonly json: Uint8Array | string;
}

/** What stands where an item should: the place, and what is wrong with it. */
export interface BadRecord {
  readonly place: string;
  readonly error: UsageError;
  /** The text that is no item, for the message about it. */
  readonly text: string;
}

/** How a source is read. */
export interface RecordOptions extends TableOptions {
  /** Lines that begin with it are left out. @default none */
  readonly comment?: string | undefined;
}

/**
 * Reads a source's items in their order, those together that are there; what is wrong with one does not end the others.
 *
 * @throws UsageError when nothing behind can be read
 */
export async function* records(
  bytes: AsyncIterable<Uint8Array>,
  format: SourceFormat,
  options: RecordOptions,
): AsyncGenerator<ReadonlyArray<SourceRecord | BadRecord>> {
  if (format === 'csv' || format === 'tsv') {
    for await (const row of tableRows(bytes, {
      ...(format === 'tsv' ? { delimiter: '\t' } : {}),
      ...defined(options),
    })) {
      const place = `line ${row.number}`;
      if ('problem' in row) yield [bad(place, new UsageError('InvalidInput', row.problem), row.text)];
      else yield [{ place, item: row.item, json: JSON.stringify(row.item) }];
    }
  } else if (format === 'json') {
    for await (const { number, bytes: value } of jsonValues(bytes)) {
      yield [record(`item ${number}`, { number, start: -1, end: -1, bytes: value }, 'json')];
    }
  } else {
    const comment = options.comment === undefined ? undefined : Buffer.from(options.comment);
    for await (const lines of lineBatches(bytes)) {
      const wanted = comment === undefined ? lines : lines.filter((line) => !begins(line.bytes, comment));
      yield wanted.map((line) => record(`line ${line.number}`, line, format));
    }
  }
}

/** A record with the name of its source. */
export type NamedRecord = (SourceRecord | BadRecord) & { readonly source: string };

/** The same records, and failures, with the name of their source. */
export async function* named(
  source: string,
  all: AsyncIterable<ReadonlyArray<SourceRecord | BadRecord>>,
): AsyncGenerator<readonly NamedRecord[]> {
  try {
    for await (const batch of all) yield batch.map((record) => withSource(record, source));
  } catch (error) {
    if (!(error instanceof UsageError) || error.message.includes(source)) throw error;
    throw new UsageError(error.code, `${source}, ${error.message}`, { cause: error });
  }
}

/** Not by spreading, which takes a third of the time in which an item is checked. */
function withSource(record: SourceRecord | BadRecord, source: string): NamedRecord {
  const { place } = record;
  return 'error' in record
    ? { source, place, error: record.error, text: record.text }
    : { source, place, item: record.item, json: record.json };
}

function record(place: string, line: Line, format: 'ndjson' | 'lines' | 'json'): SourceRecord | BadRecord {
  try {
    const item = readItem(line, format === 'lines' ? 'lines' : 'ndjson');
    return { place, item, json: format === 'lines' ? textAsJson(item) : oneLine(line.bytes, format) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return bad(place, error, new TextDecoder().decode(line.bytes.subarray(0, 1_000)));
  }
}

/** A text's JSON may be longer than the text, and an item is measured as JSON. */
function textAsJson(text: unknown): string {
  const json = JSON.stringify(text);
  const bytes = json.length > limits.maxItemBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= limits.maxItemBytes) return json;
  throw new UsageError(
    'ItemTooLarge',
    `expected an item of at most ${limits.maxItemBytes} bytes of JSON, got ${bytes}; store large data in S3 and pass its address`,
  );
}

/** Line ends within JSON are only ever white space between tokens. */
function oneLine(bytes: Uint8Array, format: 'ndjson' | 'json'): Uint8Array {
  if (format === 'json') {
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0x0a || bytes[i] === 0x0d) bytes[i] = 0x20;
  }
  return bytes;
}

/** The messages of items name their line; here the place says it, with the source's name before it. */
const bad = (place: string, error: UsageError, text: string): BadRecord => ({
  place,
  text,
  error: new UsageError(error.code, error.message.replace(/^line \d+: /, ''), { cause: error }),
});

const begins = (bytes: Uint8Array, start: Uint8Array): boolean => {
  const at = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09);
  return start.every((byte, i) => bytes[at + i] === byte);
};

const defined = (options: RecordOptions): TableOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
