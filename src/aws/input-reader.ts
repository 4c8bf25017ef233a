import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { InputReader, ObjectHead } from '../ports.ts';
import { inputChanged, inputRefused } from './input-errors.ts';
import { headObject, statusOf } from './job-store.ts';

/** Reads inputs from S3, each fixed by its ETag. */
export class S3InputReader implements InputReader {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /** @throws UsageError `InvalidInput` when the bucket may not be read */
  async head(input: { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    try {
      return await headObject(this.#client, input);
    } catch (cause) {
      throw inputRefused(input, { status: statusOf(cause), cause });
    }
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    const { bucket, key, etag } = input;
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      IfMatch: etag,
      Range: `bytes=${range.start}-${range.end ?? ''}`,
    });
    const answer = await this.#client.send(command).catch((cause: unknown) => {
      throw inputChanged(input, { status: statusOf(cause), cause });
    });
    // On Node the SDK's body is a stream of byte chunks; ending the loop early destroys it and frees its socket.
    yield* answer.Body as unknown as AsyncIterable<Uint8Array>;
  }
}
