import type { InputFormat } from '../format/manifest.ts';
import { inputKey } from '../format/paths.ts';
import type { FanOutRequest } from '../format/request.ts';
import { checkMarkName } from '../task/check-mark.ts';
import { UsageError } from '../task/errors.ts';
import { untilAborted } from '../waiting.ts';
import { CheckedInput } from './checked-input.ts';
import { type Items, itemBlocks, peekSmall } from './item-blocks.ts';
import type { Stack } from './stack.ts';

/** An input that is bytes already: an S3 object, or NDJSON (a JSON value a line). */
export interface Input {
  /** `s3://bucket/key`, read by the stack itself; or bytes that are uploaded as they come. */
  readonly input: string | AsyncIterable<Uint8Array>;
  /**
   * How it is read: a JSON value a line, the line itself as a text, or an entry a line (`{"item": …, "key": …}`), whose key goes into the row.
   * @default of an S3 object by its name: `.txt` is lines
   */
  readonly format?: InputFormat;
}

/** Puts the input where the fan-out finds it: few small items into the request itself, others into the bucket. */
export async function placeInput(
  stack: Pick<Stack, 'bucket' | 'upload'>,
  items: Items<unknown> | Input,
  { jobId, signal }: { readonly jobId: string; readonly signal: AbortSignal },
): Promise<Pick<FanOutRequest, 'items' | 'input' | 'format'> & { readonly count?: number }> {
  if (isInput(items) && typeof items.input === 'string') {
    return { input: items.input, ...(items.format === undefined ? {} : { format: items.format }) };
  }
  const counter = { items: 0 };
  const bytes = isInput(items) ? (items.input as AsyncIterable<Uint8Array>) : itemBlocks(items, counter);
  const blocks = untilAborted(bytes, signal);
  // A line that is a text might be taken for JSON.
  const isText = isInput(items) && items.format === 'lines';
  const peeked = isText ? ({ kind: 'blocks', blocks } as const) : await peekSmall(blocks);
  if (peeked.kind === 'items') {
    if (peeked.items.length === 0) throw new UsageError('EmptyInput', 'expected at least one item, got none');
    return { items: [...peeked.items], ...formatOf(items), count: peeked.items.length };
  }
  const key = inputKey(jobId);
  const mark = isInput(items) && items.input instanceof CheckedInput ? items.input.mark : undefined;
  const metadata = mark === undefined ? undefined : { [checkMarkName]: mark };
  await stack.upload(key, peeked.blocks, { signal, metadata });
  return {
    input: `s3://${stack.bucket}/${key}`,
    ...formatOf(items),
    ...(isInput(items) ? {} : { count: counter.items }),
  };
}

/** Bytes that are uploaded are NDJSON unless they are called something else. */
const formatOf = (items: Items<unknown> | Input): { readonly format?: InputFormat } =>
  isInput(items) && items.format !== undefined && items.format !== 'ndjson' ? { format: items.format } : {};

/** A stream of items may have an `input`, too: that of `node:readline` has. */
const isInput = (items: Items<unknown> | Input): items is Input =>
  'input' in items && !(Symbol.iterator in items) && !(Symbol.asyncIterator in items);
