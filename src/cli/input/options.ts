import { type Command, Option } from 'commander';
import { UsageError } from '../../task/errors.ts';
import { wholeNumber } from '../options.ts';
import { inputFormats } from './formats.ts';

const group = 'Input options:';

/** Adds the options that say what the items are. */
export function withItems(command: Command): Command {
  const add = (flags: string, description: string, more: (option: Option) => Option = (option) => option): void => {
    command.addOption(more(new Option(flags, description).helpGroup(group)));
  };
  add(
    '--input <file>',
    'items from a file, a pattern ("*.csv"), standard input (-), or s3://bucket/key; may be given again',
    many,
  );
  add('--format <format>', 'what the input is, where its name and first bytes do not tell', (option) =>
    option.choices(inputFormats),
  );
  add('--columns <names>', 'names of the columns of a table without a header row, as id,name', (option) =>
    option.argParser(names),
  );
  add('--delimiter <char>', 'what stands between the cells of a table (default: by the first line)', (option) =>
    option.argParser(delimiter),
  );
  add('--comment <start>', 'leave out lines that begin so, as with "#"');
  add('--map <json>', 'what the item is, with fields of the record, as \'{"url":"https://…/{id}"}\'');
  add('--header <line>', 'a header for every request, as "accept: text/csv"; may be given again', many);
  add(
    '--secret-header <line>',
    'a header with a secret for every request, as "authorization=Bearer {API_TOKEN}"; may be given again',
    many,
  );
  add('--method <method>', 'the method of every request');
  add('--body <body>', 'the body of every request, JSON or text, with fields of the record');
  add('--key <field>', 'field that goes with the item into its row (default: id)');
  add('--with-item', 'write the item into its row');
  add('--skip <n>', 'leave out the first n records', numbered('--skip', 0));
  add('--limit <n>', 'take n records at most', numbered('--limit', 1));
  add('--sample <n>', 'take n records drawn at random', numbered('--sample', 1));
  add('--on-invalid <what>', 'refuse the input (default), or let such an item fail alone', (option) =>
    option.choices(['refuse', 'fail-item']),
  );
  return command;
}

const many = (option: Option): Option =>
  option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);

const numbered = (name: string, min: number) => (option: Option) =>
  option.argParser(wholeNumber(name, min, 100_000_000));

function names(text: string): readonly string[] {
  const given = text.split(',').map((name) => name.trim());
  if (given.every((name) => name !== '')) return given;
  throw new UsageError('InvalidOptions', `expected --columns to be names as id,name, got "${text}"`);
}

function delimiter(text: string): string {
  const char = text === '\\t' || text === 'tab' ? '\t' : text;
  if (char.length === 1 && !/["\r\n]/.test(char)) return char;
  throw new UsageError('InvalidOptions', `expected --delimiter to be one character, as ";" or tab, got "${text}"`);
}
