import { type Command, Option } from 'commander';
import { parseJson } from '../../format/json.ts';
import type { Row } from '../../format/outcome.ts';
import { UsageError } from '../../task/errors.ts';

/** Options that choose which rows are written, and what of them. */
export interface RowChoice {
  readonly failed?: boolean;
  readonly succeeded?: boolean;
  readonly code?: readonly string[];
  readonly select?: readonly string[];
  /** Whether the job writes items into rows. */
  readonly withItem?: boolean;
}

/** What a row may have. */
const rowNames: ReadonlySet<string> = new Set([
  'index',
  'key',
  'item',
  'status',
  'value',
  'error',
  'attempts',
  'durationMs',
  'at',
]);

/** Adds `--out` and the options that choose rows. */
export function withRows(command: Command): Command {
  return command
    .option(
      '--out <file>',
      'write the rows to a file: .ndjson, .json, .csv, .tsv, each also .gz (default: standard output)',
    )
    .addOption(selectOption())
    .addOption(new Option('--failed', 'only rows of items that failed').conflicts('succeeded'))
    .option('--succeeded', 'only rows of items that succeeded')
    .addOption(
      new Option(
        '--code <code>',
        'only rows that failed for this reason, as HttpStatus404; may be given again',
      ).argParser((code: string, before: readonly string[] | undefined) => [...(before ?? []), code]),
    );
}

/** Picks the lines of rows that were asked for; undefined where all are. */
export function chosenLines(choice: RowChoice): ((lines: Uint8Array) => Uint8Array) | undefined {
  const { failed, succeeded, code } = choice;
  if (failed !== true && succeeded !== true && code === undefined) return undefined;
  if (succeeded === true && code !== undefined) return () => new Uint8Array();
  const wanted = succeeded === true ? 'succeeded' : 'failed';
  return (lines) => linesWith(lines, { status: wanted, code });
}

/** How a row begins whose item has no key and is not told. */
const statusFirst = /\{"index":\d+,"status":"([a-z]+)"/y;

/** Most rows need not be parsed: their status stands behind their index, or the wanted one stands nowhere in them. */
function linesWith(
  lines: Uint8Array,
  { status, code }: { readonly status: Row['status']; readonly code: readonly string[] | undefined },
): Uint8Array {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  // A character a byte, so that places in the text are those in the bytes.
  const text = bytes.toString('latin1');
  const sign = `"status":"${status}"`;
  let nextSign = text.indexOf(sign);
  const isChosen = (start: number, end: number): boolean => {
    if (nextSign !== -1 && nextSign < start) nextSign = text.indexOf(sign, start);
    if (nextSign === -1 || nextSign >= end) return false;
    statusFirst.lastIndex = start;
    const said = statusFirst.exec(text)?.[1];
    if (said !== undefined && (said !== status || code === undefined)) return said === status;
    // It is a line of ours, as in `decodeRows`.
    const row = parseJson(bytes.toString('utf8', start, end)) as Row;
    return row.status === status && (code === undefined || (row.status === 'failed' && code.includes(row.error.code)));
  };
  const kept: Uint8Array[] = [];
  let keptFrom: number | undefined;
  for (let at = 0, end = 0; at < text.length; at = end) {
    const feed = text.indexOf('\n', at);
    end = feed === -1 ? text.length : feed + 1;
    if (isChosen(at, end)) keptFrom ??= at;
    else if (keptFrom !== undefined) {
      kept.push(bytes.subarray(keptFrom, at));
      keptFrom = undefined;
    }
  }
  if (keptFrom !== undefined) kept.push(bytes.subarray(keptFrom));
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept);
}

/** `--select`. */
export const selectOption = (): Option =>
  new Option('--select <paths>', 'what of each row is written, as key,value.body.name').argParser((text: string) => {
    const paths = text.split(',').map((path) => path.trim());
    if (paths.includes(''))
      throw new UsageError('InvalidOptions', `expected --select to be paths as key,value.status, got "${text}"`);
    const unknown = paths.find((path) => !rowNames.has(path.split('.')[0] ?? ''));
    if (unknown === undefined) return paths;
    throw new UsageError(
      'InvalidOptions',
      `expected --select to name fields of a row (${[...rowNames].join(', ')}) or what is in them, as value.body.name, got "${unknown}"`,
    );
  });
