import { type Command, Option } from 'commander';
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

/** Whether a row is among those that were asked for; undefined where all are. */
export function chosen({ failed, succeeded, code }: RowChoice): ((row: Row) => boolean) | undefined {
  if (failed !== true && succeeded !== true && code === undefined) return undefined;
  return (row) =>
    (failed !== true || row.status === 'failed') &&
    (succeeded !== true || row.status === 'succeeded') &&
    (code === undefined || (row.status === 'failed' && code.includes(row.error.code)));
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
