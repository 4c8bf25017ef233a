import { stringify } from 'csv-stringify/sync';
import { toJson } from '../../format/json.ts';
import type { Row } from '../../format/outcome.ts';
import { UsageError } from '../../task/errors.ts';

/** How rows become text. */
export interface RowFormat {
  /** What stands before the first row. */
  readonly start: string;
  /** @param first whether these are the first rows */
  encode(rows: readonly Row[], first: boolean): string;
  /** What stands behind the last row. */
  readonly end: string;
  /** Whether rows are written as they stand in S3: nothing stands before or behind them, and they need not be read. @default false */
  readonly verbatim?: boolean;
}

/** Options that choose what is written of each row. */
export interface RowFormatOptions {
  /** Paths within the row, as `key` or `value.body.name`. @default all of it, or the columns of a table */
  readonly select?: readonly string[] | undefined;
  /** Whether a table has a column for the item. @default false */
  readonly withItem?: boolean | undefined;
}

/** A table's columns where none are selected. A value or error that is no text or number stands as JSON. */
const usualColumns = ['index', 'key', 'status', 'value', 'error.code', 'error.message', 'attempts', 'durationMs'];

/** The format that a file's name asks for, `.gz` passed over; JSON lines where it says nothing. */
export function rowFormat(name: string, options: RowFormatOptions = {}): RowFormat {
  const ending = /\.([a-z0-9-]+)$/.exec(name.toLowerCase().replace(/\.gz$/, ''))?.[1] ?? '';
  if (ending === 'csv') return table(',', options);
  if (ending === 'tsv' || ending === 'tab') return table('\t', options);
  const pick = picker(options);
  if (ending === 'json') {
    return {
      start: '[\n',
      encode: (rows, first) => `${first ? '' : ',\n'}${rows.map((row) => json(pick(row))).join(',\n')}`,
      end: '\n]\n',
    };
  }
  if (['xlsx', 'xls', 'parquet', 'yaml', 'xml', 'zip'].includes(ending)) {
    throw new UsageError(
      'InvalidOptions',
      `expected --out to end in .ndjson, .json, .csv, or .tsv, each also with .gz, got "${name}"`,
    );
  }
  const encode = (rows: readonly Row[]): string => rows.map((row) => `${json(pick(row))}\n`).join('');
  return { start: '', encode, end: '', verbatim: options.select === undefined };
}

function table(delimiter: string, { select, withItem = false }: RowFormatOptions): RowFormat {
  const columns = select ?? [...usualColumns, ...(withItem ? ['item'] : [])];
  const paths = columns.map((column) => column.split('.'));
  const lines = (cells: ReadonlyArray<readonly string[]>): string =>
    stringify(
      cells.map((row) => [...row]),
      { delimiter, record_delimiter: 'windows', quoted_match: /[\r\n]/ },
    );
  return {
    start: lines([columns]),
    encode: (rows) => lines(rows.map((row) => paths.map((path) => cell(look(row, path))))),
    end: '',
  };
}

function picker({ select }: RowFormatOptions): (row: Row) => unknown {
  if (select === undefined) return (row) => row;
  const paths = select.map((name) => [name, name.split('.')] as const);
  return (row) => Object.fromEntries(paths.map(([name, path]) => [name, look(row, path) ?? null]));
}

function look(row: Row, path: readonly string[]): unknown {
  let value: unknown = row;
  for (const step of path) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string, unknown>)[step]
        : undefined;
  }
  return value;
}

const cell = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : json(value);

/** Rows were read from JSON, so that each of their values has one. */
const json = (value: unknown): string => toJson(value) ?? 'null';
