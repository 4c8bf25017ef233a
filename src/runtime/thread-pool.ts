import { Piscina } from 'piscina';
import type { ThreadPool, ThreadRunOptions } from '../aio/index.ts';

export interface ThreadPoolOptions {
  /** The module that runs on the threads: a file URL, `new URL('./sum.ts', import.meta.url).href`. */
  readonly file: string;
  /** The function it exports that is called with each input. */
  readonly exportName: string;
  /** How many threads there are at most. @default one and a half a processor */
  readonly maxThreads?: number;
  /** How long a thread that has nothing to do is kept, in milliseconds. @default 10_000 */
  readonly idleTimeoutMs?: number;
  /** The heap of one thread in MiB; a thread that needs more fails its task with ERR_WORKER_OUT_OF_MEMORY. @default Node's own */
  readonly maxHeapMb?: number;
}

/** Starting a thread takes about 30 ms, so a pause of some seconds between two tasks should not end it. */
const idleTimeoutMs = 10_000;

/**
 * A pool of worker threads for `toThread`; threads start when there is work, and end when they are idle, cancelled, or the pool is
 * closed: `await using pool = new Threads({…})`.
 */
export class Threads<Input, Output> implements ThreadPool<Input, Output>, AsyncDisposable {
  readonly #pool: Piscina<Input, Output>;

  constructor(options: ThreadPoolOptions) {
    this.#pool = new Piscina<Input, Output>({
      filename: options.file,
      name: options.exportName,
      minThreads: 0,
      idleTimeout: options.idleTimeoutMs ?? idleTimeoutMs,
      ...(options.maxThreads !== undefined && { maxThreads: options.maxThreads }),
      ...(options.maxHeapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb } }),
    });
  }

  /** How many threads there are. */
  get size(): number {
    return this.#pool.threads.length;
  }

  /** Runs one task; when `signal` fires, its thread is ended and the promise rejects with an AbortError. */
  run(input: Input, { signal, transferList }: ThreadRunOptions): Promise<Output> {
    return this.#pool.run(input, {
      signal,
      // What can be transferred is Node's to say: it throws DataCloneError for anything else.
      ...(transferList !== undefined && { transferList: [...transferList] as ArrayBuffer[] }),
    });
  }

  /** Ends all threads; tasks that run are rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
