import { type ItemKey, keyOf } from '../../input/entry.ts';
import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';
import type { Parsed, Task } from '../../task/task.ts';
import { readArgument } from './arguments.ts';
import { checkItem } from './check-item.ts';
import { chooseRecords, type PartOptions } from './choose-records.ts';
import type { BadRecord, NamedRecord } from './records.ts';
import { type ShapeOptions, shapeOf } from './shape.ts';
import { TemplateProblem } from './template.ts';

/** A block of checked input: whole lines of JSON. */
export interface CheckedBlock {
  readonly bytes: Buffer;
  readonly items: number;
}

/** What becomes of a source's records before they are items. */
export interface ItemOptions extends ShapeOptions, PartOptions {
  /** Field of the record that passes to the row. @default `id`, where the item has one */
  readonly key?: string | undefined;
  /** Whether an item that cannot be one fails alone, with a row that names its line, or refuses the input. @default refuse */
  readonly onInvalid?: 'refuse' | 'fail-item' | undefined;
}

/** The first block is checked before a cloud is opened, so that most mistakes show at once. */
const blockBytes = 5_242_880;

/** A block is handed on when it is full, so the longest item and its key have to fit on top of it. */
const capacity = blockBytes + 2 * limits.maxItemBytes;

/** Refused lines that are named at once. */
const namedAtOnce = 10;

const newline = 0x0a;

/** How the lines of checked blocks are read: as items, or as entries where a key or a refusal goes with them. */
export const formatOf = (options: ItemOptions): 'ndjson' | 'entries' =>
  options.map !== undefined || options.key !== undefined || options.onInvalid === 'fail-item' ? 'entries' : 'ndjson';

/**
 * Makes items of records, checks each against the task, and passes their JSON on, one a line, in blocks of 5 to 7 MiB.
 * A record that is JSON and is the item itself passes with its very bytes.
 *
 * @throws UsageError that names source and line, of the first ten refused items at once, and `EmptyInput` when there is none
 */
export async function* checkedBlocks(
  records: AsyncIterable<readonly NamedRecord[]>,
  task: Task,
  options: ItemOptions & { readonly name: string },
): AsyncGenerator<CheckedBlock> {
  const lineOf = liner(task, options);
  const refused: UsageError[] = [];
  let buffer = Buffer.allocUnsafe(capacity);
  let filled = 0;
  let items = 0;
  let any = false;
  for await (const batch of chooseRecords(records, options, copied)) {
    for (const record of batch) {
      any = true;
      const checked = lineOf(record);
      const line = checked instanceof Promise ? await checked : checked;
      if (line instanceof UsageError) {
        refused.push(line);
        if (refused.length === namedAtOnce) throw allOf(refused);
      }
      // A batch holds many lines, and most schemas answer at once: nothing is waited for, and nothing is made, that an item does not need.
      if (refused.length > 0 || line instanceof UsageError) continue;
      if (typeof line === 'string') filled += buffer.write(line, filled);
      else {
        buffer.set(line, filled);
        filled += line.length;
      }
      buffer[filled++] = newline;
      items++;
      if (filled < blockBytes) continue;
      yield { bytes: buffer.subarray(0, filled), items };
      buffer = Buffer.allocUnsafe(capacity);
      filled = 0;
      items = 0;
    }
  }
  if (refused.length > 0) throw allOf(refused);
  if (!any) throw new UsageError('EmptyInput', `expected at least one item, got none from ${options.name}`);
  if (filled > 0) yield { bytes: buffer.subarray(0, filled), items };
}

/** Items given as arguments, as records. */
export async function* argumentRecords(items: readonly string[], task: Task): AsyncGenerator<readonly NamedRecord[]> {
  for (const [i, item] of items.entries()) {
    const json = await readArgument(item, { number: i + 1, task });
    yield [{ source: '', place: `item ${i + 1}`, item: JSON.parse(json), json }];
  }
}

type CheckedLine = string | Uint8Array | UsageError;

/** What becomes of one record: its line, or why it is refused. A promise only where the schema gives one, or there is more to be found out. */
function liner(task: Task, options: ItemOptions): (record: NamedRecord) => CheckedLine | Promise<CheckedLine> {
  const shape = shapeOf(options);
  const isEntry = formatOf(options) === 'entries';
  const refuse = (record: NamedRecord, key: ItemKey | undefined, error: unknown): CheckedLine => {
    const problem =
      error instanceof TemplateProblem ? new UsageError('InvalidItem', error.message, { cause: error }) : error;
    if (!(problem instanceof UsageError)) throw problem;
    const message = `${placeOf(record)}: ${problem.message}`;
    return options.onInvalid === 'fail-item'
      ? entry(`"invalid":${JSON.stringify({ code: problem.code, message })}`, key)
      : new UsageError(problem.code, message, { cause: problem });
  };
  return (record) => {
    if ('error' in record)
      return hinted(record, task, placeOf(record)).then((error) => refuse(record, undefined, error));
    let key: ItemKey | undefined;
    try {
      key = isEntry ? keyFor(record.item, options.key) : undefined;
      const item = shape === undefined ? record.item : shape(record.item);
      const written = (parsed: Parsed): CheckedLine => {
        if (!parsed.ok) return refuse(record, key, new UsageError('InvalidItem', parsed.problem));
        if (!isEntry && shape === undefined) return record.json;
        try {
          const json = shape === undefined ? decode(record.json) : JSON.stringify(item);
          requireSize(json);
          return isEntry ? entry(`"item":${json}`, key) : json;
        } catch (error) {
          return refuse(record, key, error);
        }
      };
      const parsed = checkItem(task, item, placeOf(record));
      return parsed instanceof Promise ? parsed.then(written) : written(parsed);
    } catch (error) {
      return refuse(record, key, error);
    }
  };
}

const placeOf = ({ source, place }: NamedRecord): string => (source === '' ? place : `${source}, ${place}`);

const entry = (content: string, key: ItemKey | undefined): string =>
  `{${key === undefined ? '' : `"key":${JSON.stringify(key)},`}${content}}`;

/** @throws UsageError `InvalidItem` when a field was named and is not there */
function keyFor(item: unknown, field: string | undefined): ItemKey | undefined {
  if (field === undefined) return keyOf(item, 'id');
  const key = keyOf(item, field) ?? (field === 'item' && typeof item === 'string' ? item : undefined);
  if (key !== undefined) return key;
  const names = typeof item === 'object' && item !== null ? Object.keys(item).slice(0, 20).join(', ') : 'no fields';
  throw new UsageError('InvalidItem', `expected a text or number in the field "${field}" for --key, got ${names}`);
}

/** Where a text is what the task takes, or cells are, what is no JSON may well have been meant as that. */
async function hinted({ error, text }: BadRecord, task: Task, place: string): Promise<UsageError> {
  if (error.code !== 'InvalidInput' || !error.message.startsWith('expected one JSON value')) return error;
  const asText = await checkItem(task, text, place);
  if (asText.ok)
    return new UsageError(error.code, `${error.message}; where a line is a text, say --format lines`, { cause: error });
  const isTable = /^[^{[]*[,;\t|]/.test(text) && !text.includes('://');
  return isTable
    ? new UsageError(error.code, `${error.message}; it looks like CSV: say --format csv`, { cause: error })
    : error;
}

function requireSize(json: string): void {
  const bytes = json.length > limits.maxItemBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= limits.maxItemBytes) return;
  throw new UsageError(
    'ItemTooLarge',
    `expected an item of at most ${limits.maxItemBytes} bytes of JSON, got ${bytes}; store large data in S3 and pass its address`,
  );
}

/** One refusal as it is, several in one sentence. */
function allOf(refused: readonly UsageError[]): UsageError {
  const [first] = refused;
  if (refused.length === 1 && first !== undefined) return first;
  const count =
    refused.length === namedAtOnce
      ? `the first ${namedAtOnce} refused items are`
      : `${refused.length} items are refused`;
  const listed = refused.map(({ message }) => message).join(' · ');
  return new UsageError(
    first?.code ?? 'InvalidInput',
    `${count}: ${listed}; mend them, or let them fail alone by --on-invalid fail-item`,
  );
}

const decode = (json: Uint8Array | string): string =>
  typeof json === 'string' ? json : new TextDecoder().decode(json);

const copied = (record: NamedRecord): NamedRecord =>
  'error' in record || typeof record.json === 'string' ? record : { ...record, json: record.json.slice() };
