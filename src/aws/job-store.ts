import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { ObjectHead, ObjectStore, PutOptions, StoredObject } from '../ports.ts';
import { maxConflicts, pageKeys } from './connection.ts';
import { answeredAt } from './s3.ts';

/** The S3 bucket that holds all jobs. */
export class JobStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    try {
      const answer = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
      const modifiedAt = answer.LastModified?.getTime();
      const now = answeredAt(answer);
      return {
        body,
        etag: answer.ETag ?? '',
        metadata: answer.Metadata ?? {},
        ...(modifiedAt === undefined ? {} : { modifiedAt }),
        ...(now === undefined ? {} : { answeredAt: now }),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return headObject(this.#client, { bucket: this.#bucket, key });
  }

  async put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    const { condition, metadata } = options;
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      // An empty string would be sent as a stream of unknown length.
      Body: typeof body === 'string' ? Buffer.from(body) : body,
      ...(metadata === undefined ? {} : { Metadata: metadata }),
      ...(condition === undefined
        ? {}
        : 'ifAbsent' in condition
          ? { IfNoneMatch: '*' }
          : { IfMatch: condition.ifMatch }),
    });
    for (let conflicts = 0; ; conflicts++) {
      try {
        return (await this.#client.send(command)).ETag ?? '';
      } catch (error) {
        const status = statusOf(error);
        // 409: another conditional write of the same key was under way; the SDK does not try it again.
        if (status === 409 && condition !== undefined && conflicts < maxConflicts) continue;
        const isGone = status === 404 && condition !== undefined && 'ifMatch' in condition;
        if (status === 412 || isGone) return undefined;
        throw error;
      }
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
  }

  async list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const answer = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          MaxKeys: Math.min(pageKeys, limit - keys.length),
          ...(options.startAfter === undefined ? {} : { StartAfter: options.startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      for (const { Key } of answer.Contents ?? []) if (Key !== undefined) keys.push(Key);
      token = answer.NextContinuationToken;
    } while (token !== undefined && keys.length < limit);
    return keys;
  }
}

/** Asks for an object's size, ETag, and metadata; undefined where none is. */
export async function headObject(
  client: S3Client,
  at: { readonly bucket: string; readonly key: string },
): Promise<ObjectHead | undefined> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket: at.bucket, Key: at.key }));
    return { bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '', metadata: answer.Metadata ?? {} };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The HTTP status of a refusal by S3. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

function isAbsent(error: unknown): boolean {
  return error instanceof S3ServiceException && statusOf(error) === 404 && error.name !== 'NoSuchBucket';
}
