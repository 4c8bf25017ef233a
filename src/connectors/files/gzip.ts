import { createGzip } from 'node:zlib';
import { release } from './blocks.ts';

/** Larger than the slabs that small Buffers share, so that a packed block can be released too. */
const chunkBytes = 262_144;

/** Packs a stream, and releases its blocks. */
export async function* gzipped(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gzip = createGzip({ chunkSize: chunkBytes });
  const pump = async (): Promise<void> => {
    try {
      for await (const block of blocks) {
        await new Promise<void>((resolve, reject) => {
          gzip.write(block, (error) => (error === null || error === undefined ? resolve() : reject(error)));
        });
        release(block);
      }
      gzip.end();
    } catch (error) {
      // The reader hears of it through the stream.
      gzip.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const pumped = pump();
  try {
    yield* gzip;
  } finally {
    gzip.destroy();
    await pumped;
  }
}
