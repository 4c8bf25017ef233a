import { chain } from '../client/item-blocks.ts';
import { askToStart } from '../client/patience.ts';
import type { UploadOptions } from '../client/stack.ts';
import type { ObjectStore } from '../ports.ts';
import { systemClock } from '../runtime/system.ts';
import { orAborted } from '../waiting.ts';

/** Stores an object from blocks, all or nothing. */
export type Upload = (key: string, blocks: AsyncIterable<Uint8Array>, options: UploadOptions) => Promise<void>;

/** What one request stores; S3 takes parts of this size otherwise. */
const wholeBytes = 8_388_608;

/** An upload by one request where the blocks are few; by another one, which is only then asked for, where they are many. */
export function smallFirst(store: ObjectStore, large: () => Promise<Upload>): Upload {
  return async (key, blocks, options) => {
    const source = blocks[Symbol.asyncIterator]();
    const taken: Uint8Array[] = [];
    let bytes = 0;
    while (bytes <= wholeBytes) {
      const next = await source.next();
      if (next.done === true) {
        options.signal.throwIfAborted();
        const { metadata, signal } = options;
        const put = () => store.put(key, Buffer.concat(taken), metadata === undefined ? {} : { metadata });
        await askToStart({ clock: systemClock, signal }, () => orAborted(put(), signal));
        return;
      }
      // Whoever gives blocks may fill the same one again.
      taken.push(Buffer.from(next.value));
      bytes += next.value.length;
    }
    const upload = await large().catch(async (error: unknown) => {
      await source.return?.();
      throw error;
    });
    await upload(key, chain(taken, source), options);
  };
}
