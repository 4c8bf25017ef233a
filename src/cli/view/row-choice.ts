import { type Command, Option } from 'commander';
import type { Row } from '../../format/outcome.ts';
import { UsageError } from '../../task/errors.ts';

/** Options that choose which rows are written, and what of them. */
export interface RowChoice {
  readonly failed?: boolean;
  readonly succeeded?: boolean;
  readonly code?: readonly string[];
  readonly select?: readonly string[];
}

/** Adds `--out` and the options that choose rows. */
export function withRows(command: Command): Command {
  return command
    .option(
      '--out <file>',
      'write the rows to a file: .ndjson, .json, .csv, .tsv, each also .gz (default: standard output)',
    )
    .addOption(
      new Option('--select <paths>', 'what of each row is written, as key,value.body.name').argParser(
        (text: string) => {
          const paths = text.split(',').map((path) => path.trim());
          if (paths.every((path) => path !== '')) return paths;
          throw new UsageError('InvalidOptions', `expected --select to be paths as key,value.status, got "${text}"`);
        },
      ),
    )
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
