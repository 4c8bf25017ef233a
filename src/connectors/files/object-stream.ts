import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { TaskError } from '../../task/errors.ts';
import { YoungCollection } from './young-collection.ts';

/** Where an object is. */
export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** A read that breaks off this often without a byte in between has failed. */
const maxFruitlessReads = 3;

/** Reads `s3://bucket/key`; undefined where a text is not such an address. */
export function parseObjectUrl(text: string): ObjectAddress | undefined {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s.exec(text) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

/**
 * Streams an object from its first byte to its last; where the connection breaks, it goes on at that byte of the same version.
 *
 * @throws TaskError `ObjectNotFound`, `ObjectChanged`, `AccessDenied`, or what else S3 says
 * @throws the signal's reason when it aborts
 */
export async function* readObject(
  client: S3Client,
  address: ObjectAddress,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let etag: string | undefined;
  let offset = 0;
  const young = new YoungCollection();
  let total = Number.POSITIVE_INFINITY;
  for (let fruitless = 0; offset < total; fruitless += 1) {
    try {
      const answer = await client.send(
        new GetObjectCommand({
          Bucket: address.bucket,
          Key: address.key,
          ...(etag === undefined ? {} : { IfMatch: etag, Range: `bytes=${offset}-` }),
        }),
        { abortSignal: signal },
      );
      etag ??= answer.ETag;
      total = Math.min(total, offset + (answer.ContentLength ?? 0));
      // On Node the SDK's body is a stream of bytes.
      const body = answer.Body as Readable;
      const stop = (): void => void body.destroy(toError(signal.reason));
      signal.addEventListener('abort', stop, { once: true });
      try {
        // Ending the loop early destroys the body and frees its socket.
        for await (const chunk of body as AsyncIterable<Buffer>) {
          offset += chunk.byteLength;
          young.add(chunk.byteLength);
          fruitless = 0;
          yield chunk;
        }
      } finally {
        signal.removeEventListener('abort', stop);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof S3ServiceException || fruitless + 1 >= maxFruitlessReads)
        throw objectFailure(error, address);
    }
  }
}

/** Names what S3 refused, or that it could not be reached. */
export function objectFailure(error: unknown, { bucket, key }: ObjectAddress): TaskError {
  if (error instanceof TaskError) return error;
  const place = `s3://${bucket}/${key}`;
  if (!(error instanceof S3ServiceException)) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return new TaskError(`expected an answer from S3 for ${place}, got ${code}`, {
      code: 'ConnectionFailed',
      retryable: true,
      cause: error,
    });
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  const named = { 403: 'AccessDenied', 404: 'ObjectNotFound', 412: 'ObjectChanged' }[status];
  const told =
    { 403: 'a grant to use', 404: 'an object at', 412: 'the same object to its end at' }[status] ?? 'S3 to serve';
  return new TaskError(`expected ${told} ${place}, got ${error.name}`, {
    code: named ?? error.name,
    status,
    retryable: status >= 500 || status === 429,
    cause: error,
  });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
