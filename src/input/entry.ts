import { parseJson } from '../format/json.ts';
import type { InputFormat } from '../format/manifest.ts';
import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';
import { type Parsed, type Task, tryItem } from '../task/task.ts';
import { readItem } from './item.ts';
import type { Line } from './lines.ts';

/** What passes beside the index from an item to its row, so that a row can be joined with its source. */
export type ItemKey = string | number;

/**
 * One line of an input as it is read: the item and its key, or why there is no item.
 *
 * In an input of format `entries` each line is one of these as JSON, `{"item": …, "key": …}` or `{"invalid": {code, message}, "key": …}`;
 * `index` is that of an item which runs again; in other formats the line is the item, and its key is the field `id` where the item has one.
 */
export type Entry =
  | { readonly item: unknown; readonly key?: ItemKey; readonly index?: number }
  | {
      readonly invalid: { readonly code: string; readonly message: string };
      readonly key?: ItemKey;
      readonly index?: number;
    };

/**
 * Reads the entry of a line.
 *
 * @throws UsageError `InvalidInput` when the line is no UTF-8, no JSON, or no entry, `ItemTooLarge` when it is over 1 MiB; all name the line.
 */
export function readEntry(line: Line, format: InputFormat): Entry {
  const entry = entryOf(readItem(line, format), format);
  if (entry !== undefined) return entry;
  throw new UsageError(
    'InvalidInput',
    `line ${line.number}: expected {"item": …} or {"invalid": …}, got another value`,
  );
}

/** What the value of a line is in an input of that format; undefined where it is no entry. */
function entryOf(value: unknown, format: InputFormat): Entry | undefined {
  if (format === 'entries') return asEntry(value);
  const key = keyOf(value, 'id');
  return key === undefined ? { item: value } : { item: value, key };
}

/**
 * The entries of all lines of a piece of an input, read in one go: a tenth of what {@link readEntry} costs line by line. Undefined
 * where anything is odd (line ends other than LF, no UTF-8, no JSON, a byte-order mark, a long line): then line by line tells what it is.
 */
export function readEntries(bytes: Uint8Array, format: InputFormat): readonly Entry[] | undefined {
  if (bytes.includes(carriageReturn) || bytes.length === 0 || bytes[0] === firstOfMark) return undefined;
  const entries: Entry[] = [];
  try {
    for (const line of decoder.decode(bytes).split('\n')) {
      if (isBlank(line)) continue;
      if (3 * line.length > limits.maxItemBytes) return undefined;
      const entry = entryOf(format === 'lines' ? line : parseJson(line), format);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
  } catch {
    return undefined;
  }
  return entries;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const carriageReturn = 0x0d;
const firstOfMark = 0xef;
const isBlank = (line: string): boolean =>
  line === '' || ((line[0] === ' ' || line[0] === '\t') && /^[ \t]+$/.test(line));

/**
 * Checks the entry of a line; a promise only where the schema gives one, since an input has millions of lines.
 *
 * @throws UsageError as {@link readEntry}, and `InvalidItem` when the task's schema refuses its item
 */
export function checkEntry(line: Line, format: InputFormat, task: Task): undefined | Promise<void> {
  const entry = readEntry(line, format);
  if ('invalid' in entry) return undefined;
  const parsed = tryItem(task, entry.item);
  const { number } = line;
  if (parsed instanceof Promise) return parsed.then((one) => requireItem(one, number));
  requireItem(parsed, number);
  return undefined;
}

function requireItem(parsed: Parsed, number: number): void {
  if (!parsed.ok) throw new UsageError('InvalidItem', `line ${number}: ${parsed.problem}`);
}

/** The value of a field when it can be a key: a text, or a number that JSON can hold. */
export function keyOf(item: unknown, field: string): ItemKey | undefined {
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, field)) return undefined;
  const value = (item as Readonly<Record<string, unknown>>)[field];
  return isKey(value) ? value : undefined;
}

const isKey = (value: unknown): value is ItemKey =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));

/** A value as an entry; undefined when it is none. */
export const asEntry = (value: unknown): Entry | undefined => (isEntry(value) ? value : undefined);

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { key, invalid, index } = value as Readonly<Record<string, unknown>>;
  if (key !== undefined && !isKey(key)) return false;
  if (index !== undefined && !Number.isInteger(index)) return false;
  if (invalid === undefined) return 'item' in value;
  if (typeof invalid !== 'object' || invalid === null) return false;
  const { code, message } = invalid as Readonly<Record<string, unknown>>;
  return typeof code === 'string' && typeof message === 'string';
}
