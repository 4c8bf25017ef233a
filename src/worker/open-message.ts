import type { Manifest } from '../format/manifest.ts';
import type { WorkMessage } from '../format/message.ts';
import type { ItemError, Row } from '../format/outcome.ts';
import { type Entry, readEntry } from '../input/entry.ts';
import { splitLines } from '../input/lines.ts';
import type { InputReader } from '../ports.ts';
import { UsageError } from '../task/errors.ts';
import { parseItem, type Task } from '../task/task.ts';

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
  const attempts = new Map(
    message.only ?? Array.from({ length: message.count }, (_, i) => [message.first + i, 0] as const),
  );
  for (const { index } of kept) attempts.delete(index);
  if (task === undefined)
    return refuseAll(attempts, {
      code: 'UnknownTask',
      message: `the deployed stack has no task "${manifest.task}"; deploy it again`,
    });
  const items: LoadedItem[] = [];
  try {
    let index = message.first;
    for await (const line of splitLines(input.stream(manifest.input, { start, end }), { offset: start })) {
      const used = attempts.get(index);
      if (used !== undefined) {
        const entry = readEntry(line, manifest.input.format);
        items.push({
          index,
          jobIndex: manifest.pass === undefined ? index : (entry.index ?? index),
          attempts: used,
          about: aboutOf(entry, manifest),
          content: await contentOf(entry, raw ? undefined : task),
        });
      }
      index++;
    }
  } catch (error) {
    if (error instanceof UsageError) return refuseAll(attempts, { code: error.code, message: error.message });
    throw error;
  }
  if (items.length !== attempts.size) {
    throw new Error(
      `expected ${attempts.size} items in bytes ${start} to ${end} of the input of ${manifest.jobId}, got ${items.length}`,
    );
  }
  return items;
}

async function contentOf(entry: Entry, task: Task | undefined): Promise<LoadedItem['content']> {
  if ('invalid' in entry) return { ok: false, error: { ...entry.invalid, retryable: false } };
  if (task === undefined) return { ok: true, item: entry.item };
  const parsed = await parseItem(task, entry.item);
  if (parsed.ok) return { ok: true, item: parsed.value };
  return { ok: false, error: { code: 'InvalidItem', message: parsed.problem, retryable: false } };
}

const aboutOf = (entry: Entry, { options }: Manifest): ItemAbout => ({
  ...(entry.key === undefined ? {} : { key: entry.key }),
  ...(options.withItem === true && 'item' in entry ? { item: entry.item } : {}),
});

function refuseAll(attempts: ReadonlyMap<number, number>, error: Omit<ItemError, 'retryable'>): LoadedItem[] {
  return [...attempts].map(([index, used]) => ({
    index,
    jobIndex: index,
    attempts: used,
    about: {},
    content: { ok: false, error: { ...error, retryable: false } },
  }));
}
