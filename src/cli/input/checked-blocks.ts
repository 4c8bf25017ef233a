import type { InputFormat } from '../../format/manifest.ts';
import { readItem } from '../../input/item.ts';
import { type Line, splitLines } from '../../input/lines.ts';
import { limits } from '../../limits.ts';
import { UsageError } from '../../task/errors.ts';
import { parseItem, type Task } from '../../task/task.ts';
import { readArgument } from './arguments.ts';
import type { InputSource } from './source.ts';

/** A block of checked input: whole lines of JSON, each as it was given. */
export interface CheckedBlock {
  readonly bytes: Buffer;
  readonly items: number;
}

/** The first block is checked before a cloud is opened, so that most mistakes show at once. */
const blockBytes = 5_242_880;

/** A block is handed on when it is full, so the longest item has to fit on top of it. */
const capacity = blockBytes + limits.maxItemBytes + 1;

const newline = Buffer.from('\n');

/**
 * Checks each item against the task and passes its bytes on unchanged, a JSON value a line, in blocks of 5 to 6 MiB;
 * what differs is only between items: blank lines, a byte-order mark, and `\r` go.
 *
 * @throws UsageError that names the source and the line or item, and `EmptyInput` when there is none
 */
export async function* checkedBlocks(
  source: Exclude<InputSource, { kind: 'object' }>,
  task: Task,
): AsyncGenerator<CheckedBlock> {
  let buffer = Buffer.allocUnsafe(capacity);
  let filled = 0;
  let items = 0;
  let any = false;
  for await (const line of source.kind === 'arguments'
    ? argumentLines(source.items, task)
    : streamLines(source, task)) {
    filled += line.copy(buffer, filled);
    filled += newline.copy(buffer, filled);
    items++;
    any = true;
    if (filled < blockBytes) continue;
    yield { bytes: buffer.subarray(0, filled), items };
    buffer = Buffer.allocUnsafe(capacity);
    filled = 0;
    items = 0;
  }
  if (!any) throw new UsageError('EmptyInput', `expected at least one item, got none from ${nameOf(source)}`);
  if (filled > 0) yield { bytes: buffer.subarray(0, filled), items };
}

async function* argumentLines(items: readonly string[], task: Task): AsyncGenerator<Buffer> {
  for (const [i, item] of items.entries()) yield Buffer.from(await readArgument(item, { number: i + 1, task }));
}

async function* streamLines(source: Extract<InputSource, { kind: 'stream' }>, task: Task): AsyncGenerator<Buffer> {
  try {
    for await (const line of splitLines(source.open())) {
      const item = await itemOf(line, source, task);
      const parsed = await parseItem(task, item);
      if (!parsed.ok) throw new UsageError('InvalidItem', `line ${line.number}: ${parsed.problem}`);
      yield source.format === 'lines' ? textAsJson(item, line) : asBuffer(line.bytes);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${source.name}, ${error.message}`, { cause: error });
  }
}

/** Reads a line's item; where a text is what the task takes, what is no JSON may well have been meant as one. */
async function itemOf(line: Line, { format }: { readonly format: InputFormat }, task: Task): Promise<unknown> {
  try {
    return readItem(line, format);
  } catch (error) {
    if (!(error instanceof UsageError) || error.code !== 'InvalidInput' || format === 'lines') throw error;
    const asText = await parseItem(task, new TextDecoder().decode(line.bytes));
    if (!asText.ok) throw error;
    throw new UsageError(error.code, `${error.message}; where a line is a text, say --format lines`, { cause: error });
  }
}

/** A text's JSON may be longer than the text, and an item is measured as JSON. */
function textAsJson(text: unknown, line: Line): Buffer {
  const json = Buffer.from(JSON.stringify(text));
  if (json.length <= limits.maxItemBytes) return json;
  throw new UsageError(
    'ItemTooLarge',
    `line ${line.number}: expected an item of at most ${limits.maxItemBytes} bytes of JSON, got ${json.length}; store large data in S3 and pass its address`,
  );
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const nameOf = (source: Exclude<InputSource, { kind: 'object' }>): string =>
  source.kind === 'stream' ? source.name : 'the arguments';
