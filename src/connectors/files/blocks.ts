/** Slabs that small Buffers share are this long; a longer buffer, or one that a block fills, belongs to its stream alone. */
const sharedBytes = Buffer.poolSize;

/**
 * Frees the memory of a block that nobody will look at again; blocks of one stream have to be released in their order.
 *
 * Left to the garbage collector, blocks pile up to 64 MB and more before it looks at memory outside of its heap.
 */
export function release(block: Buffer): void {
  const { buffer } = block;
  const isWhole = block.byteLength === buffer.byteLength;
  // Several blocks may be cut from one buffer; with the last of them all are done with.
  const isLast = block.byteOffset + block.byteLength === buffer.byteLength && buffer.byteLength > sharedBytes;
  if ((isWhole || isLast) && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Passes blocks to a consumer that has done with each when it asks for the next, and releases them. */
export async function* releasing(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    yield block;
    release(block);
  }
}
