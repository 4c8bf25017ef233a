import type { Clock, InputReader, ObjectHead, ObjectStore, PutOptions, StoredObject } from '../../ports.ts';
import { UsageError } from '../../task/errors.ts';
import { type FaultHook, withFault } from './faults.ts';
import type { ModelBucket, ModelObject } from './objects.ts';

/** Names and values of an object's metadata, together. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const maxMetadataBytes = 2_048;

/** What the store of a job is on the model. */
export interface StorePortParts {
  readonly bucket: ModelBucket;
  readonly clock: Clock;
  readonly faults?: FaultHook;
  /** Bytes of one piece of a stream. @default 65,536 */
  readonly pieceBytes?: number;
}

/** The ports of a job's store and input, on a bucket of the model. */
export class ModelStore implements ObjectStore, InputReader {
  readonly #parts: StorePortParts;

  constructor(parts: StorePortParts) {
    this.#parts = parts;
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.#call('get', key, () => {
      const object = this.#parts.bucket.get(key);
      if (object === undefined) return undefined;
      const { body, etag, metadata, lastModified: modifiedAt } = object;
      const answeredAt = Math.floor(this.#parts.clock.now() / 1_000) * 1_000;
      return { body: body.slice(), etag, metadata, modifiedAt, answeredAt };
    });
  }

  head(at: string | { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    const key = typeof at === 'string' ? at : at.key;
    return this.#call('head', key, () => headOf(this.#parts.bucket.get(key)));
  }

  put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    const { condition, metadata = {} } = options;
    requireMetadata(metadata);
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body.slice();
    return this.#call('put', key, () => {
      const written = this.#parts.bucket.put(key, bytes, { metadata, ...(condition && { condition }) });
      return typeof written === 'string' ? undefined : written.etag;
    });
  }

  delete(key: string): Promise<void> {
    return this.#call('delete', key, () => this.#parts.bucket.delete(key));
  }

  list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const { startAfter: after = '', limit: max = Number.POSITIVE_INFINITY } = options;
    return this.#call('list', prefix, () => this.#parts.bucket.list({ prefix, after, max }).keys);
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    const { pieceBytes = 65_536 } = this.#parts;
    const object = await this.#call('stream', input.key, () => this.#parts.bucket.get(input.key));
    if (object?.etag !== input.etag) {
      throw new UsageError(
        'InvalidInput',
        'expected the input as it was when the job began, got another object or none',
      );
    }
    const bytes = object.body.subarray(range.start, range.end === undefined ? undefined : range.end + 1);
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
  }

  #call<Value>(operation: string, target: string, act: () => Value): Promise<Value> {
    const { faults: hook, clock } = this.#parts;
    return withFault({ hook, clock, call: { service: 's3', operation, target } }, act);
  }
}

function headOf(object: ModelObject | undefined): ObjectHead | undefined {
  return object && { bytes: object.body.length, etag: object.etag, metadata: object.metadata };
}

/** Headers carry ASCII only, and S3 takes 2 KB. */
function requireMetadata(metadata: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[\x20-\x7e]*$/.test(value))
      throw new Error(`expected ASCII in metadata ${name}, got ${JSON.stringify(value)}`);
    bytes += name.length + value.length;
  }
  if (bytes > maxMetadataBytes) throw new Error(`expected at most ${maxMetadataBytes} bytes of metadata, got ${bytes}`);
}
