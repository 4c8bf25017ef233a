import { ModelBucket, type ModelObject } from '../../src/cloud/model/objects.ts';
import { ModelStore } from '../../src/cloud/model/store-port.ts';
import type { Clock, InputReader, ObjectHead, ObjectStore, PutOptions, StoredObject } from '../../src/ports.ts';
import { systemClock } from '../../src/runtime/system.ts';

/** A call of the store, as its hooks see it. */
export interface StoreCall {
  readonly operation: 'get' | 'head' | 'put' | 'delete' | 'list' | 'stream';
  readonly key: string;
}

/** A bucket of the model, which notes what is asked of it. */
export class MemoryStore implements ObjectStore, InputReader {
  readonly #clock: Clock;
  readonly #bucket: ModelBucket;
  readonly #store: ModelStore;
  readonly calls: StoreCall[] = [];
  /** Runs before a call takes effect; what it throws is S3 that cannot be reached. */
  before: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Runs after a call took effect; what it throws is an answer that was lost. */
  after: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** The answer of a call was lost and its client asked again: it takes effect twice, and the second answer counts. */
  repeats: ((call: StoreCall) => boolean) | undefined;
  /** Bytes of one piece of a stream. */
  pieceBytes = 65_536;
  /** What stands, past all hooks. */
  readonly objects: ReturnType<typeof viewOf>;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#bucket = new ModelBucket(clock);
    this.#store = new ModelStore({ bucket: this.#bucket, clock });
    this.objects = viewOf(this.#bucket);
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.#call({ operation: 'get', key }, () => this.#store.get(key));
  }

  head(at: string | { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    const key = typeof at === 'string' ? at : at.key;
    return this.#call({ operation: 'head', key }, () => this.#store.head(key));
  }

  async put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body.slice();
    return this.#call({ operation: 'put', key }, () => this.#store.put(key, bytes, options));
  }

  delete(key: string): Promise<void> {
    return this.#call({ operation: 'delete', key }, () => this.#store.delete(key));
  }

  list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    return this.#call({ operation: 'list', key: prefix }, () => this.#store.list(prefix, options));
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    await this.#call({ operation: 'stream', key: input.key }, async () => undefined);
    const { pieceBytes } = this;
    yield* new ModelStore({ bucket: this.#bucket, clock: this.#clock, pieceBytes }).stream(input, range);
  }

  /** Keys under a prefix, in order. */
  keys(prefix = ''): string[] {
    return [...this.#bucket.list({ prefix, max: Number.POSITIVE_INFINITY }).keys];
  }

  /** An object's text; undefined where none is. */
  text(key: string): string | undefined {
    const object = this.#bucket.get(key);
    return object && new TextDecoder().decode(object.body);
  }

  /** An object's JSON, as a loosely typed value for assertions. */
  json(key: string): unknown {
    const text = this.text(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async #call<Value>(call: StoreCall, act: () => Promise<Value>): Promise<Value> {
    this.calls.push(call);
    await this.before?.(call);
    if (this.repeats?.(call) === true) await act();
    const value = await act();
    await this.after?.(call);
    return value;
  }
}

function viewOf(bucket: ModelBucket) {
  return {
    has: (key: string): boolean => bucket.get(key) !== undefined,
    get: (key: string): ModelObject | undefined => bucket.get(key),
    delete: (key: string): void => bucket.delete(key),
    get size(): number {
      return bucket.list({ max: Number.POSITIVE_INFINITY }).keys.length;
    },
  };
}
