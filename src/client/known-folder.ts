import { type JobFolder, jobPrefix } from '../format/paths.ts';
import type { Clock, ObjectHead, ObjectStore, PutOptions, StoredObject } from '../ports.ts';
import type { TellStored } from './wake.ts';

/** Nobody tells of what is removed, and a teller may be cut off: what is known is asked for again after this time. */
const knownMs = 10_000;

/**
 * A job's folder as somebody follows it to whom every write is told: what was read and has not been written since is known. A look at a
 * job in which nothing has happened asks for nothing.
 */
export class KnownFolder implements ObjectStore, Disposable {
  readonly #store: ObjectStore;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #prefix: string;
  readonly #end: (() => void) | undefined;
  readonly #known = new Map<string, Known>();
  #writes = 0;

  constructor(
    {
      store,
      clock,
      tellStored,
    }: { readonly store: ObjectStore; readonly clock: Clock; readonly tellStored?: TellStored },
    folder: JobFolder,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#prefix = jobPrefix(folder);
    this.#end = tellStored?.((key) => this.#forget(key));
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.#read(`get ${key}`, key, () => this.#store.get(key));
  }

  list(
    prefix: string,
    options: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<readonly string[]> {
    const { startAfter = '', limit = '' } = options;
    return this.#read(`list ${prefix} ${startAfter} ${limit}`, prefix, () => this.#store.list(prefix, options));
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.#store.head(key);
  }

  put(key: string, body: string | Uint8Array, options?: PutOptions): Promise<string | undefined> {
    return this.#store.put(key, body, options);
  }

  delete(key: string): Promise<void> {
    return this.#store.delete(key);
  }

  [Symbol.dispose](): void {
    this.#end?.();
  }

  async #read<Value>(request: string, of: string, ask: () => Promise<Value>): Promise<Value> {
    // Seats are read for their age too, which S3 tells at each reading.
    if (this.#end === undefined || !of.startsWith(this.#prefix) || of.includes('/seats/')) return ask();
    const known = this.#known.get(request);
    // What is kept under a request is what that request was answered.
    if (known !== undefined && this.#clock.now() < known.until) return known.value as Value;
    const writes = this.#writes;
    const value = await ask();
    // A write that was told meanwhile may not be in the answer.
    if (writes !== this.#writes) return value;
    this.#forgetOld();
    this.#known.delete(request);
    this.#known.set(request, { of, value, until: this.#clock.now() + knownMs });
    return value;
  }

  /** A job of many parts has tables that are looked at once. */
  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [request, { until }] of this.#known) {
      // They stand in the order of their time.
      if (now < until) return;
      this.#known.delete(request);
    }
  }

  #forget(key: string): void {
    if (!key.startsWith(this.#prefix)) return;
    this.#writes++;
    for (const [request, { of }] of this.#known) if (key.startsWith(of)) this.#known.delete(request);
  }
}

interface Known {
  /** The key, or the beginning of the keys that were listed. */
  readonly of: string;
  readonly value: unknown;
  readonly until: number;
}
