import type { InputFormat, Manifest } from '../format/manifest.ts';
import type { WorkMessage } from '../format/message.ts';
import type { ItemError, Row } from '../format/outcome.ts';
import { type Entry, readEntries, readEntry } from '../input/entry.ts';
import { splitLines } from '../input/lines.ts';
import type { InputReader } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { type Parsed, type Task, tryItem } from '../task/task.ts';

/** An item of a chunk as it was read: what the task's schema made of it, or why it cannot run. */
export interface LoadedItem {
  /** In its folder: its place in a pass. */
  readonly index: number;
  /** In the job. */
  readonly jobIndex: number;
  /** Attempts used by earlier invocations. */
  readonly attempts: number;
  /** What its row says of it. */
  readonly about: ItemAbout;
  readonly content: { readonly ok: true; readonly item: unknown } | { readonly ok: false; readonly error: ItemError };
}

/** What passes from an item to its row. */
export type ItemAbout = Pick<Row, 'key' | 'item'>;

/** That of most items. */
export const noAbout: ItemAbout = {};

/** Reads the items that a message stands for; items that cannot be read come with the error that they end with. */
export async function loadItems(
  input: InputReader,
  at: {
    readonly manifest: Manifest;
    readonly message: WorkMessage;
    readonly task: Task | undefined;
    /** Items that have a row already. */
    readonly kept?: readonly Row[] | undefined;
    /** The schema is not asked: where the items run, it is. @default false */
    readonly raw?: boolean;
  },
): Promise<LoadedItem[]> {
  const { manifest, message, task, kept = [], raw = false } = at;
  const [start, end] = message.range;
  const isWhole = message.only === undefined && kept.length === 0;
  // Most messages stand for all items of their chunk, and none of those was tried.
  const attempts = isWhole ? undefined : attemptsOf(message, kept);
  const past = message.first + message.count;
  if (task === undefined)
    return refuseAll(attemptsOf(message, kept), {
      code: 'UnknownTask',
      message: `the deployed stack has no task "${manifest.task}"; deploy it again`,
    });
  const items: LoadedItem[] = [];
  try {
    const bytes = await gathered(input.stream(manifest.input, { start, end }));
    const { format } = manifest.input;
    let index = message.first;
    // Line by line only where something is odd: it tells what.
    const entries = readEntries(bytes, format) ?? (await Array.fromAsync(entriesByLine(bytes, { start, format })));
    for (const entry of entries) {
      const used = attempts === undefined ? (index < past ? 0 : undefined) : attempts.get(index);
      if (used !== undefined) {
        const content = contentOf(entry, raw ? undefined : task);
        items.push({
          index,
          jobIndex: manifest.pass === undefined ? index : (entry.index ?? index),
          attempts: used,
          about: aboutOf(entry, manifest),
          // Few schemas are asynchronous, and to wait for nothing costs as much as to parse.
          content: content instanceof Promise ? await content : content,
        });
      }
      index++;
    }
  } catch (error) {
    if (error instanceof UsageError)
      return refuseAll(attemptsOf(message, kept), { code: error.code, message: error.message });
    throw error;
  }
  const wanted = attempts?.size ?? message.count;
  if (items.length !== wanted) {
    throw new Error(
      `expected ${wanted} items in bytes ${start} to ${end} of the input of ${manifest.jobId}, got ${items.length}`,
    );
  }
  return items;
}

/** Attempts used of each item that a message stands for, but for those that have a row. */
function attemptsOf({ only, first, count }: WorkMessage, kept: readonly Row[]): ReadonlyMap<number, number> {
  const attempts = new Map(only ?? Array.from({ length: count }, (_, i) => [first + i, 0] as const));
  for (const { index } of kept) attempts.delete(index);
  return attempts;
}

/** A chunk is read whole: it is at most 4 MiB, or one line. */
async function gathered(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const block of blocks) parts.push(block);
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}

async function* entriesByLine(
  bytes: Uint8Array,
  { start, format }: { readonly start: number; readonly format: InputFormat },
): AsyncGenerator<Entry> {
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  for await (const line of splitLines(whole(), { offset: start })) yield readEntry(line, format);
}

type Content = LoadedItem['content'];

function contentOf(entry: Entry, task: Task | undefined): Content | Promise<Content> {
  if ('invalid' in entry) return { ok: false, error: { ...entry.invalid, retryable: false } };
  if (task === undefined) return { ok: true, item: entry.item };
  const parsed = tryItem(task, entry.item);
  return parsed instanceof Promise ? parsed.then(asContent) : asContent(parsed);
}

const asContent = (parsed: Parsed): Content =>
  parsed.ok
    ? { ok: true, item: parsed.value }
    : { ok: false, error: { code: 'InvalidItem', message: parsed.problem, retryable: false } };

function aboutOf(entry: Entry, { options }: Manifest): ItemAbout {
  const hasItem = options.withItem === true && 'item' in entry;
  if (entry.key === undefined && !hasItem) return noAbout;
  return { ...(entry.key === undefined ? {} : { key: entry.key }), ...(hasItem ? { item: entry.item } : {}) };
}

function refuseAll(attempts: ReadonlyMap<number, number>, error: Omit<ItemError, 'retryable'>): LoadedItem[] {
  return [...attempts].map(([index, used]) => ({
    index,
    jobIndex: index,
    attempts: used,
    about: noAbout,
    content: { ok: false, error: { ...error, retryable: false } },
  }));
}
