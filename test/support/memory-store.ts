import { createHash } from 'node:crypto';
import type { InputReader, ObjectHead, ObjectStore, PutOptions, StoredObject } from '../../src/ports.ts';
import { UsageError } from '../../src/task/errors.ts';

/** A call of the store, as its hooks see it. */
export interface StoreCall {
  readonly operation: 'get' | 'head' | 'put' | 'delete' | 'list' | 'stream';
  readonly key: string;
}

/** S3 in memory: strong consistency, conditional writes, ETags of the content, LIST in byte order. */
export class MemoryStore implements ObjectStore, InputReader {
  readonly objects = new Map<string, StoredObject>();
  readonly calls: StoreCall[] = [];
  /** Runs before a call takes effect; what it throws is S3 that cannot be reached. */
  before: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Runs after a call took effect; what it throws is an answer that was lost. */
  after: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Bytes of one piece of a stream. */
  pieceBytes = 65_536;

  get(key: string): Promise<StoredObject | undefined> {
    return this.#call({ operation: 'get', key }, () => this.objects.get(key));
  }

  head(at: string | { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    const key = typeof at === 'string' ? at : at.key;
    return this.#call({ operation: 'head', key }, () => {
      const object = this.objects.get(key);
      return object && { bytes: object.body.length, etag: object.etag, metadata: object.metadata };
    });
  }

  put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    const { condition, metadata = {} } = options;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
    for (const [name, value] of Object.entries(metadata)) requireAscii(name, value);
    return this.#call({ operation: 'put', key }, () => {
      const before = this.objects.get(key);
      if (condition !== undefined) {
        const holds = 'ifAbsent' in condition ? before === undefined : before?.etag === condition.ifMatch;
        if (!holds) return undefined;
      }
      const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
      this.objects.set(key, { body: bytes, etag, metadata });
      return etag;
    });
  }

  delete(key: string): Promise<void> {
    return this.#call({ operation: 'delete', key }, () => void this.objects.delete(key));
  }

  list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    return this.#call({ operation: 'list', key: prefix }, () =>
      [...this.objects.keys()]
        .filter((key) => key.startsWith(prefix) && key > (options.startAfter ?? ''))
        .sort()
        .slice(0, options.limit),
    );
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    const object = await this.#call({ operation: 'stream', key: input.key }, () => this.objects.get(input.key));
    if (object?.etag !== input.etag) throw new UsageError('InvalidInput', 'expected the object as it was');
    const bytes = object.body.subarray(range.start, range.end === undefined ? undefined : range.end + 1);
    for (let at = 0; at < bytes.length; at += this.pieceBytes) yield bytes.subarray(at, at + this.pieceBytes);
  }

  /** Keys under a prefix, in order. */
  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** An object's text; undefined where none is. */
  text(key: string): string | undefined {
    const object = this.objects.get(key);
    return object && new TextDecoder().decode(object.body);
  }

  /** An object's JSON, as a loosely typed value for assertions. */
  json(key: string): unknown {
    const text = this.text(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async #call<Value>(call: StoreCall, act: () => Value): Promise<Value> {
    this.calls.push(call);
    await this.before?.(call);
    const value = act();
    await this.after?.(call);
    return value;
  }
}

function requireAscii(name: string, value: string): void {
  if (!/^[\x20-\x7e]*$/.test(value))
    throw new Error(`expected ASCII in metadata ${name}, got ${JSON.stringify(value)}`);
}
