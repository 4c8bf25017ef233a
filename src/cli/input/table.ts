import { Readable } from 'node:stream';
import type { CsvError } from 'csv-parse';
import { sniffDelimiter } from '../../input/sniff.ts';
import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';

/** How a table's cells are told apart and named. */
export interface TableOptions {
  /** The character between cells. @default what the first line has most of: comma, semicolon, tab, or bar */
  readonly delimiter?: string | undefined;
  /** Names of the columns of a table without a header row. @default the first row */
  readonly columns?: readonly string[] | undefined;
  /** Lines that begin with it are left out. @default none */
  readonly comment?: string | undefined;
}

/** A row as an object of its cells, all of them texts; or what is wrong with it. */
export type TableRow =
  | { readonly number: number; readonly item: Readonly<Record<string, string>> }
  | { readonly number: number; readonly problem: string; readonly text: string };

/**
 * Reads a table as RFC 4180 has it: cells in quotes may hold separators, quotes, and line ends.
 * Each row is an object by the names of its columns.
 *
 * @throws UsageError `InvalidInput` when a quote does not end, the text is no UTF-8, or the header has no or equal names
 */
export async function* tableRows(bytes: AsyncIterable<Uint8Array>, options: TableOptions): AsyncGenerator<TableRow> {
  const texts = utf8(bytes);
  const first = await texts.next();
  const start = first.done === true ? '' : first.value;
  const [header = ''] = start.split(/\r\n|\n|\r/);
  // Most inputs are no tables.
  const { parse } = await import('csv-parse');
  const source = Readable.from(chain(start, texts));
  const rows = source.pipe(
    parse({
      bom: true,
      delimiter: options.delimiter ?? sniffDelimiter(header) ?? ',',
      info: true,
      max_record_size: limits.maxItemBytes,
      relax_column_count: true,
      relax_quotes: false,
      skip_empty_lines: true,
      ...(options.comment === undefined ? {} : { comment: options.comment, comment_no_infix: true }),
    }),
  );
  source.once('error', (error) => rows.destroy(error));
  /** Line ends of two characters within quotes, which csv-parse counts twice. */
  let counted = 0;
  let names = options.columns;
  if (names !== undefined) requireNames(names);
  try {
    // What csv-parse gives with `info`.
    for await (const { info, record } of rows as AsyncIterable<{ info: { lines: number }; record: string[] }>) {
      const ends = record.join().match(/\r\n|\n|\r/g) ?? [];
      counted += ends.filter((end) => end.length === 2).length;
      const number = info.lines - counted - ends.length;
      if (names === undefined) {
        names = record.map((name) => name.trim());
        requireNames(names);
      } else if (record.length === names.length) {
        yield { number, item: Object.fromEntries(names.map((name, i) => [name, record[i] ?? ''])) };
      } else {
        const problem = `expected ${names.length} cells, as many as there are columns, got ${record.length}`;
        yield { number, problem, text: record.join(',').slice(0, 1_000) };
      }
    }
  } catch (error) {
    throw explained(error);
  } finally {
    source.destroy();
  }
}

function requireNames(names: readonly string[]): void {
  const empty = names.indexOf('');
  if (empty !== -1)
    throw new UsageError(
      'InvalidInput',
      `line 1: expected a name for column ${empty + 1}, got an empty cell; name it, or give all names by --columns`,
    );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UsageError(
      'InvalidInput',
      `line 1: expected each column to have its own name, got "${twice}" twice; name them by --columns`,
    );
}

function explained(error: unknown): unknown {
  if (!isCsvError(error)) return error;
  const place = typeof error['lines'] === 'number' ? `line ${error['lines']}: ` : '';
  const problems: Partial<Record<CsvError['code'], string>> = {
    CSV_QUOTE_NOT_CLOSED: 'expected the quote to end, got the end of the input; a quote within a cell is written twice',
    CSV_INVALID_CLOSING_QUOTE:
      'expected a separator or a line end behind the closing quote; a quote within a cell is written twice',
    INVALID_OPENING_QUOTE:
      'expected a quote only at the start of a cell; a cell with quotes stands in quotes, each of its own written twice',
    CSV_MAX_RECORD_SIZE: `expected a row of at most ${limits.maxItemBytes} bytes, got a longer one; is a quote left open?`,
  };
  const problem = problems[error.code] ?? error.message;
  return new UsageError('InvalidInput', `${place}${problem}`, { cause: error });
}

const isCsvError = (error: unknown): error is CsvError =>
  error instanceof Error && 'code' in error && /^(CSV_|INVALID_)/.test(String(error.code));

async function* chain(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  if (start !== '') yield start;
  yield* rest;
}

/** A cell whose bytes are no UTF-8 would be changed silently. */
async function* utf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const block of bytes) {
      const text = decoder.decode(block, { stream: true });
      if (text !== '') yield text;
    }
    decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError(
      'InvalidInput',
      'expected UTF-8, got other bytes; convert the input, as with "iconv -f WINDOWS-1252 -t UTF-8"',
      { cause },
    );
  }
}
