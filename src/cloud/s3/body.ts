import { createHash, type Hash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { S3Error } from './errors.ts';

/** S3 takes at most 5 GiB in one request. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxBodyBytes = 5_368_709_120;
const checksumHeader = /^x-amz-checksum-(crc32|sha256|sha1)$/;

/** A request's body: what the client means by it, decoded as it arrives. */
export interface RequestBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Checksums that were given and held, as headers for the answer; complete when the chunks have ended. */
  readonly verified: Record<string, string>;
}

/** Decodes `aws-chunked` and checks length, MD5, and checksums at the end. @throws S3Error `EntityTooLarge`, and while reading `BadDigest`, `IncompleteBody`. */
export function openBody(request: IncomingMessage): RequestBody {
  const { headers } = request;
  const isChunked =
    (headers['x-amz-content-sha256'] ?? '').toString().startsWith('STREAMING-') ||
    /\baws-chunked\b/.test(headers['content-encoding'] ?? '');
  const expectedBytes = numberHeader(headers, isChunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (expectedBytes !== undefined && expectedBytes > maxBodyBytes) {
    throw new S3Error('EntityTooLarge', { ProposedSize: String(expectedBytes), MaxSizeAllowed: String(maxBodyBytes) });
  }
  const trailers: Record<string, string> = {};
  const verified: Record<string, string> = {};
  // A refusal in the middle of a body must still be answered on this connection, so leaving the loop may not destroy it.
  const source: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  const chunks = isChunked ? decodeChunked(source, trailers) : source;
  return { chunks: verify(chunks, { headers, trailers, verified, expectedBytes }), verified };
}

/** Reads a small body as text. @throws S3Error `MalformedXML` when it is longer than `maxBytes`. */
export async function readText(body: RequestBody, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body.chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new S3Error('MalformedXML');
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

interface Expected {
  readonly headers: IncomingHttpHeaders;
  /** Filled while the body is read. */
  readonly trailers: Readonly<Record<string, string>>;
  readonly verified: Record<string, string>;
  readonly expectedBytes: number | undefined;
}

async function* verify(chunks: AsyncIterable<Uint8Array>, expected: Expected): AsyncGenerator<Uint8Array> {
  const { headers, trailers, verified, expectedBytes } = expected;
  const trailer = (headers['x-amz-trailer'] ?? '').toString().toLowerCase();
  const given = [...Object.keys(headers), ...trailer.split(',').map((name) => name.trim())];
  const sums = given.flatMap((name) => {
    const algorithm = checksumHeader.exec(name)?.[1];
    return algorithm === undefined ? [] : [{ name, sum: openChecksum(algorithm) }];
  });
  const contentMd5 = headers['content-md5']?.toString();
  const md5 = contentMd5 === undefined ? undefined : createHash('md5');
  const sha256 = /^[0-9a-f]{64}$/.exec((headers['x-amz-content-sha256'] ?? '').toString())?.[0];
  const payload = sha256 === undefined ? undefined : createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new S3Error('EntityTooLarge');
    md5?.update(chunk);
    payload?.update(chunk);
    for (const { sum } of sums) sum.update(chunk);
    yield chunk;
  }
  if (expectedBytes !== undefined && bytes !== expectedBytes) throw new S3Error('IncompleteBody');
  if (md5 !== undefined && md5.digest('base64') !== contentMd5) throw new S3Error('BadDigest');
  if (payload !== undefined && payload.digest('hex') !== sha256) throw new S3Error('BadDigest');
  for (const { name, sum } of sums) {
    const value = headers[name]?.toString() ?? trailers[name];
    if (value === undefined || value !== sum.digest()) throw new S3Error('BadDigest');
    verified[name] = value;
  }
}

interface Checksum {
  update(chunk: Uint8Array): void;
  /** In base64, as the headers have it. */
  digest(): string;
}

function openChecksum(algorithm: string): Checksum {
  if (algorithm !== 'crc32') {
    const hash: Hash = createHash(algorithm);
    return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('base64') };
  }
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    digest() {
      const buffer = Buffer.alloc(4);
      buffer.writeUInt32BE(value);
      return buffer.toString('base64');
    },
  };
}

/**
 * Decodes `size;extensions CRLF bytes CRLF … 0 CRLF trailers CRLF CRLF` as it streams.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
async function* decodeChunked(
  source: AsyncIterable<Uint8Array>,
  trailers: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  let line = '';
  let state: 'size' | 'bytes' | 'end of bytes' | 'trailers' = 'size';
  let left = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.byteLength; ) {
      if (state === 'bytes') {
        const part = piece.subarray(at, at + left);
        at += part.byteLength;
        left -= part.byteLength;
        if (left === 0) state = 'end of bytes';
        yield part;
        continue;
      }
      const end = piece.indexOf(0x0a, at);
      line += Buffer.from(piece.subarray(at, end === -1 ? undefined : end)).toString('latin1');
      if (line.length > 16_384) throw new S3Error('IncompleteBody');
      if (end === -1) break;
      at = end + 1;
      const text = line.replace(/\r$/, '');
      line = '';
      if (state === 'end of bytes') state = 'size';
      else if (state === 'trailers') addTrailer(text, trailers);
      else {
        if (!/^[0-9a-f]{1,12}(;|$)/i.test(text)) throw new S3Error('IncompleteBody');
        left = Number.parseInt(text, 16);
        state = left === 0 ? 'trailers' : 'bytes';
      }
    }
  }
  if (state !== 'trailers') throw new S3Error('IncompleteBody');
}

function addTrailer(line: string, trailers: Record<string, string>): void {
  const colon = line.indexOf(':');
  if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
}

function numberHeader(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = headers[name]?.toString();
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
