import type { Connection } from '../aws/connection.ts';
import { openStack } from '../client/stack.ts';
import { writeObject } from '../connectors/files/object-upload.ts';
import { orAborted } from '../waiting.ts';
import type { Target } from './target.ts';

/** What all targets have in common, made from a stack's outputs. */
export function openStackTarget(
  connection: Connection,
  outputs: Readonly<Record<string, string>>,
): Omit<Target, 'name' | 'outlivesProcess'> {
  const { s3, close, ...stack } = openStack(connection, outputs);
  return {
    ...stack,
    upload: async (key, blocks, signal) => {
      await writeObject(s3, { bucket: stack.bucket, key }, { blocks: untilAborted(blocks, signal), signal });
    },
    close: async () => close(),
  };
}

/** Passes blocks on, and ends as soon as the signal aborts: a person's next line may never come. */
async function* untilAborted(blocks: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const source = blocks[Symbol.asyncIterator]();
  const next = () => orAborted(source.next(), signal);
  for (let block = await next(); block.done !== true; block = await next()) yield block.value;
}
