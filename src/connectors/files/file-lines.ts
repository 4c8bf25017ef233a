import { TaskError } from '../../task/errors.ts';
import { release } from './blocks.ts';

/** A line is held in memory until its end is there; a file without line ends would be held whole. */
const maxLineBytes = 4_194_304;

const lineEnd = 0x0a;

/**
 * The lines of a stream that contain a text, each with its line end, block by block; the stream's own blocks are released.
 *
 * @throws TaskError `LineTooLong`
 */
export async function* linesWith(source: AsyncIterable<Buffer>, text: string): AsyncGenerator<Buffer> {
  const wanted = Buffer.from(text);
  let open: Buffer[] = [];
  let openBytes = 0;
  for await (const block of source) {
    const first = block.indexOf(lineEnd) + 1;
    const last = block.lastIndexOf(lineEnd) + 1;
    if (first > 0) {
      const closed = Buffer.concat([...open, block.subarray(0, first)]);
      const kept = linesOf(block.subarray(first, last), wanted);
      if (closed.includes(wanted)) kept.unshift(closed);
      open = [];
      openBytes = 0;
      if (kept.length > 0) yield Buffer.concat(kept);
    }
    if (last < block.byteLength) open.push(Buffer.from(block.subarray(last)));
    openBytes += block.byteLength - last;
    release(block);
    if (openBytes > maxLineBytes) {
      throw new TaskError(`expected lines of at most ${maxLineBytes} bytes, got a longer one`, { code: 'LineTooLong' });
    }
  }
  const rest = Buffer.concat(open);
  if (rest.includes(wanted)) yield rest;
}

/** Searches for the text, not line by line: that is a native search over the block, whatever the number of its lines. */
function linesOf(block: Buffer, wanted: Buffer): Buffer[] {
  const kept: Buffer[] = [];
  for (let from = 0; from < block.byteLength; ) {
    const found = block.indexOf(wanted, from);
    if (found === -1) break;
    const start = found === 0 ? 0 : block.lastIndexOf(lineEnd, found - 1) + 1;
    from = block.indexOf(lineEnd, found) + 1;
    kept.push(block.subarray(start, from));
  }
  return kept;
}

/** Counts lines as they pass; a last line without a line end counts too. */
export class LineCounter {
  #ends = 0;
  #isOpen = false;

  get lines(): number {
    return this.#ends + (this.#isOpen ? 1 : 0);
  }

  add(block: Buffer): void {
    for (let at = block.indexOf(lineEnd); at !== -1; at = block.indexOf(lineEnd, at + 1)) this.#ends += 1;
    if (block.byteLength > 0) this.#isOpen = block[block.byteLength - 1] !== lineEnd;
  }
}
