import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createZstdDecompress } from 'node:zlib';
import { TaskError } from '../../task/errors.ts';
import { gunzipped, inflated } from '../inflate.ts';
import { isCharset } from './text.ts';

/** RFC 9659: a decoder of the content coding needs a window of at most 8 MB, so that a hostile body cannot ask for more. */
const zstdWindowLog = 23;

/** RFC 9110 allows a list of codings; a longer one is a trick, not a need. */
const maxCodings = 3;

type Decoder = (body: Readable) => Readable;

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', (body) => byteStream(gunzipped(body), body)],
  ['x-gzip', (body) => byteStream(gunzipped(body), body)],
  ['deflate', (body) => byteStream(inflated(body), body)],
  ['br', (body) => piped(body, createBrotliDecompress())],
  ['zstd', (body) => piped(body, createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } }))],
]);

/** The codings of a Content-Encoding that have to be undone, the last one first. */
export function codingsOf(contentEncoding: string | undefined): readonly string[] {
  if (contentEncoding === undefined) return [];
  return contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity' && !isMislabel(coding))
    .reverse();
}

/** What stands in Content-Encoding by mistake, a charset or a type above all, says nothing of a coding: browsers pass it over. */
function isMislabel(coding: string): boolean {
  if (decoders.has(coding)) return false;
  return coding.includes('/') || mislabels.has(coding) || isCharset(coding);
}

const mislabels: ReadonlySet<string> = new Set([
  'none',
  'null',
  'undefined',
  'binary',
  'text',
  'plain',
  'json',
  '7bit',
  '8bit',
  'chunked',
]);

/**
 * Undoes a body's Content-Encoding as it streams.
 *
 * @throws TaskError `InvalidBody` for a coding that is unknown here
 */
export function decoded(body: Readable, codings: readonly string[]): Readable {
  if (codings.length === 0) return body;
  const stages = codings.map((coding) => decoders.get(coding));
  const known = stages.filter((stage) => stage !== undefined);
  if (known.length < stages.length || stages.length > maxCodings) {
    body.on('error', () => {}).destroy();
    throw new TaskError(
      `expected a body in gzip, deflate, br, or zstd, got Content-Encoding: ${codings.toReversed().join(', ')}`,
      { code: 'InvalidBody' },
    );
  }
  return known.reduce<Readable>((source, decode) => decode(source), body);
}

/** The reader of the last stage hears of every failure: pipeline destroys all stages with it. */
function piped(body: Readable, stage: Transform): Readable {
  return pipeline(body, stage, () => {});
}

function byteStream(blocks: AsyncGenerator<Buffer>, source: Readable): Readable {
  const stream = Readable.from(blocks, { objectMode: false });
  // A generator that waits for its source cannot be ended; its source can.
  return stream.once('close', () => source.destroy());
}

/**
 * Reads a stream to its end, and destroys it as soon as it is longer than allowed.
 *
 * @throws TaskError `BodyTooLarge`
 */
export function collect(stream: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) chunks.push(chunk);
      else stream.destroy(bodyTooLarge(maxBytes));
    });
    stream.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)),
    );
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the body ended early')));
  });
}

/** The failure of a body over its limit, in bytes. */
export function bodyTooLarge(maxBytes: number): TaskError {
  return new TaskError(`expected a body of at most ${maxBytes} bytes, got more`, { code: 'BodyTooLarge' });
}

/** Whether a failure is a decoder's: the body was not what its Content-Encoding says. */
export function isDecodingFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ERR__ERROR_|ZSTD_error_)/.test(String(error.code));
}

type Headers = Readonly<Record<string, string>>;

/** The beginning of a body, decoded as far as it can be. */
export async function beginningOf(
  body: Buffer,
  { headers, maxBytes }: { readonly headers: Headers; readonly maxBytes: number },
): Promise<Buffer> {
  const codings = codingsOf(headers['content-encoding']);
  if (body.length === 0 || codings.length === 0) return body;
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const block of decoded(Readable.from([body], { objectMode: false }), codings)) {
      parts.push(block);
      bytes += block.length;
      if (bytes >= maxBytes) break;
    }
  } catch {
    // What could be read of it is the beginning.
  }
  return Buffer.concat(parts);
}

/** A whole body without its codings. @throws TaskError `BodyTooLarge`, or `InvalidBody` */
export async function decodedBytes(
  body: Buffer,
  { headers, maxBytes }: { readonly headers: Headers; readonly maxBytes: number },
): Promise<Buffer> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || body.length === 0) return body;
  const codings = codingsOf(encoding);
  if (codings.length === 0) return body;
  try {
    return await collect(decoded(Readable.from([body], { objectMode: false }), codings), maxBytes);
  } catch (error) {
    throw isDecodingFailure(error) ? undecodable(encoding, error) : error;
  }
}

/** The failure of a body that is not what its Content-Encoding says. */
export function undecodable(encoding: string | undefined, cause: unknown): TaskError {
  return new TaskError(`expected a whole body in ${encoding}, got one that cannot be decoded`, {
    code: 'InvalidBody',
    cause,
  });
}
