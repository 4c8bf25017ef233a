import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isBigEndian, type Packed, packedAdvice, sniffPacked } from '../../input/sniff.ts';
import { UsageError } from '../../task/errors.ts';

/** An input as UTF-8 text, with its beginning. */
export interface Unpacked {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The first bytes of the text, at most a block. */
  readonly start: Uint8Array;
  /** What the input was before, outermost first. */
  readonly was: readonly Packed[];
}

/**
 * Unpacks gzip and converts UTF-16 to UTF-8, whatever the input is called: its first bytes decide.
 *
 * @throws UsageError `InvalidInput` for what is neither, as zip or Parquet; when gzip is damaged, as soon as that is seen
 */
export async function unpack(source: AsyncIterable<Uint8Array>, name: string): Promise<Unpacked> {
  const was: Packed[] = [];
  let bytes = source;
  while (true) {
    const peeked = await peek(bytes);
    const packed = sniffPacked(peeked.start);
    if (packed === undefined || (was.includes(packed) && packed !== 'gzip')) return { ...peeked, was };
    if (packed === 'gzip' && was.length < 3) bytes = gunzipped(peeked.bytes, name);
    else if (packed === 'UTF-16') bytes = decoded(peeked.bytes, isBigEndian(peeked.start) ? 'utf-16be' : 'utf-16le');
    else throw new UsageError('InvalidInput', `expected ${name} to be text, got ${packed}; ${packedAdvice[packed]}`);
    was.push(packed);
  }
}

/** Reads the first block, which may be as short as its source likes, and gives it back with the rest. */
async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly start: Uint8Array; readonly bytes: AsyncIterable<Uint8Array> }> {
  const blocks = source[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let size = 0;
  // Magic numbers take 8 bytes at most; a text's format shows within its first lines.
  while (size < 4_096) {
    const next = await blocks.next();
    if (next.done === true) break;
    read.push(next.value);
    size += next.value.length;
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* read;
      for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) yield next.value;
    } finally {
      await blocks.return?.();
    }
  };
  return { start: Buffer.concat(read), bytes: rest() };
}

async function* gunzipped(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const packed = Readable.from(source, { objectMode: false });
  // Several members in a row are one text, as gzip itself reads them.
  const gunzip = createGunzip({ chunkSize: 262_144 });
  packed.once('error', (error) => gunzip.destroy(error));
  try {
    yield* packed.pipe(gunzip);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!code.startsWith('Z_') && code !== 'ERR_TRAILING_JUNK_AFTER_STREAM_END') throw cause;
    const problem = code === 'Z_BUF_ERROR' ? 'one that ends too early' : 'damaged data';
    throw new UsageError('InvalidInput', `expected ${name} to be whole gzip, got ${problem}; make the file again`, {
      cause,
    });
  } finally {
    packed.destroy();
    gunzip.destroy();
  }
}

async function* decoded(source: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding);
  for await (const block of source) yield Buffer.from(decoder.decode(block, { stream: true }));
  const rest = decoder.decode();
  if (rest !== '') yield Buffer.from(rest);
}
