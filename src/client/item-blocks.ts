import { mayLoseDigits, toJson } from '../format/json.ts';
import { limits } from '../limits.ts';
import { UsageError } from '../task/errors.ts';

/** Items that a program has: a list, or anything that gives one after another. */
export type Items<Item> = Iterable<Item> | AsyncIterable<Item>;

/** Small enough that a stream of items stays a stream, large enough that parts of an upload are filled by few of them. */
const blockBytes = 262_144;

/**
 * Writes items as NDJSON in blocks, each as soon as it is full, so that a source may be longer than memory; counts them.
 *
 * @throws UsageError `InvalidItem` when JSON cannot hold an item, `ItemTooLarge` when it is over 1 MiB; both name its index
 */
export async function* itemBlocks(items: Items<unknown>, counter: { items: number }): AsyncGenerator<Uint8Array> {
  let lines: string[] = [];
  let size = 0;
  for await (const item of items) {
    const line = lineOf(item, counter.items++);
    lines.push(line);
    size += line.length;
    if (size < blockBytes) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
    size = 0;
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}

function lineOf(item: unknown, index: number): string {
  let json: string | undefined;
  try {
    json = toJson(item);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('InvalidItem', `items[${index}]: expected a value that JSON can hold: ${reason}`, { cause });
  }
  if (json === undefined) {
    throw new UsageError(
      'InvalidItem',
      `items[${index}]: expected a value that JSON can hold, got ${item === undefined ? item : `a ${typeof item}`}`,
    );
  }
  const bytes = json.length > limits.maxItemBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= limits.maxItemBytes) return `${json}\n`;
  throw new UsageError(
    'ItemTooLarge',
    `items[${index}]: expected at most ${limits.maxItemBytes} bytes of JSON, got ${bytes}; store large data in S3 and pass its address`,
  );
}

/** The beginning of an input: all of its items where they are few and small, else its bytes so far and the rest. */
export type Peeked =
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  | { readonly kind: 'blocks'; readonly blocks: AsyncIterable<Uint8Array> };

/** Reads NDJSON until it is known whether it may travel within the invocation: at most 25 items, and 256 KiB in all. */
export async function peekSmall(blocks: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const source = blocks[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= limits.inlineBytes) {
    const next = await source.next();
    if (next.done === true) {
      const items = parseLines(Buffer.concat(first).toString());
      return items === undefined ? { kind: 'blocks', blocks: chain(first, source) } : { kind: 'items', items };
    }
    first.push(next.value);
    bytes += next.value.length;
  }
  return { kind: 'blocks', blocks: chain(first, source) };
}

/** The lines' values; undefined when they are too many or one is no JSON: then the fan-out says which. */
function parseLines(text: string): readonly unknown[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  // Lambda parses its event with numbers that have 15 digits: longer ones travel as an object.
  if (lines.length > limits.inlineItems || mayLoseDigits(text)) return undefined;
  try {
    return lines.map((line) => JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Blocks that were looked at already, and those after them; whoever stops reading closes these. */
export async function* chain(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
