import type { Clock, Random } from '../../ports.ts';
import type { TaskError } from '../../task/errors.ts';
import { sleep } from '../../waiting.ts';
import { isRefusal } from './failures.ts';

/** How requests of one kind travel together. */
export interface BatchKind<Request, Answer> {
  readonly maxKeys: number;
  readonly maxBytes: number;
  /** Whether requests for the same key share one place (reads), or the later ones wait for the first to end (writes). */
  readonly sharesKeys: boolean;
  /** Sends one request for each key; the answers of those that were processed. The signal says that nobody waits any more. */
  readonly send: (requests: ReadonlyMap<string, Request>, signal: AbortSignal) => Promise<ReadonlyMap<string, Answer>>;
  /** What went wrong when `send` rejected, or, without an error, when it left requests unprocessed. */
  readonly failureOf: (error?: unknown) => TaskError;
}

/** Where a {@link Batches} takes time and chance from. */
export interface BatchDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** One request: what names its key in the table, and the bytes that it adds to a batch. */
export interface BatchRequest<Request> {
  readonly key: string;
  readonly request: Request;
  readonly bytes: number;
}

interface Waiter<Request, Answer> extends BatchRequest<Request> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
  settled: boolean;
  /** Told when the caller has gone, once the request is in a batch. */
  onGone: () => void;
}

/** Requests that a worker's items make within this time travel together; a call of DynamoDB takes about as long. */
export const gatherMs = 3;

/** Full jitter before what was not processed is sent again. */
const backoffBaseMs = 50;
const backoffCapMs = 3_000;
/** After so many answers in a row that processed nothing, the items fail as throttled, and their own attempts go on: 6 s at most. */
const maxStalls = 8;

/**
 * Gathers requests for one table into batches. What a batch leaves unprocessed is sent again; a request that is refused fails
 * alone; one whose signal aborts leaves the others as they are.
 */
export class Batches<Request, Answer> {
  readonly #kind: BatchKind<Request, Answer>;
  readonly #deps: BatchDeps;
  #waiting: Waiter<Request, Answer>[] = [];
  /** Keys of writes that are under way: a later write to one of them waits, so that the last one wins. */
  readonly #held = new Set<string>();
  #stopTimer: (() => void) | undefined;

  constructor(kind: BatchKind<Request, Answer>, deps: BatchDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /** Sends a request with others. Rejects with TaskError, or with the signal's reason. */
  async add(request: BatchRequest<Request>, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const waiter: Waiter<Request, Answer> = { ...request, resolve, reject, settled: false, onGone: () => {} };
    const abort = (): void => {
      waiter.settled = true;
      reject(signal.reason);
      waiter.onGone();
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.push(waiter);
    this.#schedule();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #schedule(): void {
    if (this.#waiting.length >= this.#kind.maxKeys) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    this.#stopTimer ??= this.#deps.clock.after(gatherMs, () => this.#flush());
  }

  #flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (let batch = this.#take(); batch.size > 0; batch = this.#take()) {
      const taken = batch;
      void this.#run(taken).catch((error: unknown) => this.#fail(taken, error));
    }
  }

  /** The first requests that may go together, in the order of their arrival; the others stay. */
  #take(): Map<string, Waiter<Request, Answer>[]> {
    const { maxKeys, maxBytes, sharesKeys } = this.#kind;
    const batch = new Map<string, Waiter<Request, Answer>[]>();
    const left: Waiter<Request, Answer>[] = [];
    /** What comes later for a key must not overtake what was left. */
    const passed = new Set<string>();
    let bytes = 0;
    for (const waiter of this.#waiting) {
      if (waiter.settled) continue;
      const mates = batch.get(waiter.key);
      if (mates !== undefined && sharesKeys) {
        mates.push(waiter);
        continue;
      }
      const fits = batch.size < maxKeys && (batch.size === 0 || bytes + waiter.bytes <= maxBytes);
      if (mates !== undefined || this.#held.has(waiter.key) || passed.has(waiter.key) || !fits) {
        left.push(waiter);
        if (!sharesKeys) passed.add(waiter.key);
        continue;
      }
      batch.set(waiter.key, [waiter]);
      bytes += waiter.bytes;
    }
    this.#waiting = left;
    if (!sharesKeys) for (const key of batch.keys()) this.#held.add(key);
    return batch;
  }

  async #run(batch: Map<string, Waiter<Request, Answer>[]>): Promise<void> {
    const { clock, random } = this.#deps;
    const gone = new AbortController();
    for (const waiter of [...batch.values()].flat()) {
      waiter.onGone = () => {
        if (!hasCaller(batch)) gone.abort();
      };
    }
    let stalls = 0;
    for (let round = 0; ; round++) {
      this.#dropGone(batch);
      if (batch.size === 0) return;
      const outcome = await this.#send(batch, gone.signal);
      for (const [key, answer] of outcome.answers) {
        for (const waiter of batch.get(key) ?? []) settle(waiter, () => waiter.resolve(answer));
        this.#release(batch, key);
      }
      if (batch.size === 0) return;
      if (isRefusal(outcome.failure) && batch.size > 1) return this.#runHalves(batch);
      stalls = outcome.answers.size > 0 ? 0 : stalls + 1;
      if (!outcome.failure.retryable || stalls === maxStalls) return this.#fail(batch, outcome.failure);
      const ceilingMs = Math.min(backoffCapMs, backoffBaseMs * 2 ** round);
      await pause(clock, Math.round(random() * ceilingMs), gone.signal);
    }
  }

  async #send(batch: ReadonlyMap<string, readonly Waiter<Request, Answer>[]>, signal: AbortSignal) {
    const { send, failureOf } = this.#kind;
    const requests = new Map<string, Request>();
    for (const [key, [first]] of batch) if (first !== undefined) requests.set(key, first.request);
    try {
      return { answers: await send(requests, signal), failure: failureOf() };
    } catch (error) {
      return { answers: new Map<string, Answer>(), failure: failureOf(error) };
    }
  }

  /** One wrong request spoils a batch; halving finds it in a few calls, and the others pass. */
  async #runHalves(batch: Map<string, Waiter<Request, Answer>[]>): Promise<void> {
    const entries = [...batch];
    const middle = Math.ceil(entries.length / 2);
    await Promise.all([this.#run(new Map(entries.slice(0, middle))), this.#run(new Map(entries.slice(middle)))]);
  }

  #dropGone(batch: Map<string, Waiter<Request, Answer>[]>): void {
    for (const [key, waiters] of [...batch]) if (waiters.every(({ settled }) => settled)) this.#release(batch, key);
  }

  #fail(batch: Map<string, Waiter<Request, Answer>[]>, reason: unknown): void {
    for (const [key, waiters] of [...batch]) {
      for (const waiter of waiters) settle(waiter, () => waiter.reject(reason));
      this.#release(batch, key);
    }
  }

  #release(batch: Map<string, Waiter<Request, Answer>[]>, key: string): void {
    batch.delete(key);
    this.#held.delete(key);
    if (this.#waiting.length > 0) this.#flushSoon();
  }
}

const hasCaller = (batch: ReadonlyMap<string, ReadonlyArray<{ readonly settled: boolean }>>): boolean =>
  [...batch.values()].some((waiters) => waiters.some(({ settled }) => !settled));

function settle(waiter: { settled: boolean }, how: () => void): void {
  if (waiter.settled) return;
  waiter.settled = true;
  how();
}

/** Waits, or shorter when the signal aborts. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(clock, delayMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
