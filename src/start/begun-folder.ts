import { controlKey, jobPrefix, segmentsPrefix } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { Clock, InputReader, ObjectHead, ObjectStore, PutOptions, StoredObject } from '../ports.ts';

/** An inline job has one chunk. */
export const onlyChunk = { part: 0, chunk: 0 } as const;

/**
 * The folder of a job that this invocation has begun and runs itself. Nobody else writes into it before the guard tick, so what
 * was not written here is not there, and what was is read back from memory: of the 24 requests of a small job 9 are left.
 * Others' wishes (control) are asked for as always, but not in the job's first moments.
 */
export class BegunFolder implements ObjectStore, InputReader {
  readonly #store: ObjectStore;
  readonly #input: InputReader;
  readonly #clock: Clock;
  readonly #jobId: string;
  readonly #controlFrom: number;
  readonly #written = new Map<string, StoredObject>();
  /** Keys that stood already: written by somebody else, or by this invocation, which was not told so and asked again. */
  readonly #foreign = new Set<string>();
  readonly #behind: Array<Promise<unknown>> = [];

  constructor(
    world: { readonly store: ObjectStore; readonly input: InputReader; readonly clock: Clock },
    jobId: string,
  ) {
    this.#store = world.store;
    this.#input = world.input;
    this.#clock = world.clock;
    this.#jobId = jobId;
    this.#controlFrom = world.clock.now() + limits.controlMs;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    return this.#isKnown(key) ? this.#written.get(key) : this.#store.get(key);
  }

  async head(at: string | { readonly bucket: string; readonly key: string }): Promise<ObjectHead | undefined> {
    if (typeof at !== 'string') return this.#input.head(at);
    if (!this.#isKnown(at)) return this.#store.head(at);
    const object = this.#written.get(at);
    return object && { bytes: object.body.length, etag: object.etag, metadata: object.metadata };
  }

  /** What may be written again without harm (the chunk table, the cut) is written at once; what stands once waits for it, as records that rely on it do. */
  async put(key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<string | undefined> {
    if (!this.#isKnown(key)) return this.#store.put(key, body, options);
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const remember = (etag: string): void => {
      this.#written.set(key, { body: bytes, etag, metadata: options.metadata ?? {} });
    };
    if (options.condition === undefined) {
      remember('');
      const written = this.#store.put(key, bytes, options);
      // Whoever waits for it sees its failure.
      written.catch(() => undefined);
      this.#behind.push(written);
      return '';
    }
    await this.written();
    const etag = await this.#store.put(key, bytes, options);
    if (etag === undefined) this.#foreign.add(key);
    else remember(etag);
    return etag;
  }

  /** Waits for what is written behind. */
  async written(): Promise<void> {
    await Promise.all(this.#behind);
  }

  async delete(key: string): Promise<void> {
    await this.#store.delete(key);
    this.#written.delete(key);
    this.#foreign.delete(key);
  }

  async list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    if (!this.#isKnown(prefix)) return this.#store.list(prefix, options);
    const keys = new Set([...this.#written.keys(), ...this.#foreign]);
    const { startAfter = '', limit } = options;
    return [...keys]
      .filter((key) => key.startsWith(prefix) && key > startAfter)
      .sort()
      .slice(0, limit);
  }

  async *stream(
    input: { readonly bucket: string; readonly key: string; readonly etag: string },
    range: { readonly start: number; readonly end?: number },
  ): AsyncGenerator<Uint8Array> {
    const object = this.#written.get(input.key);
    if (object === undefined) yield* this.#input.stream(input, range);
    else yield object.body.subarray(range.start, range.end === undefined ? undefined : range.end + 1);
  }

  #isKnown(key: string): boolean {
    if (!key.startsWith(jobPrefix(this.#jobId)) || this.#foreign.has(key)) return false;
    // Segments are there because rows take much memory.
    if (key.startsWith(segmentsPrefix(this.#jobId, onlyChunk))) return false;
    return key !== controlKey(this.#jobId) || this.#clock.now() < this.#controlFrom;
  }
}
