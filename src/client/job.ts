import { newestFolder, readJobLines, readJobRows } from '../folder/passes.ts';
import { readTable } from '../folder/read.ts';
import { cancelledRows, readChunkRows } from '../folder/read-rows.ts';
import { SettledChunks } from '../folder/settled-chunks.ts';
import { toJsonLines } from '../format/json.ts';
import type { Row } from '../format/outcome.ts';
import type { FanOutAnswer } from '../format/request.ts';
import type { Summary } from '../format/summary.ts';
import { isUsageCode, UsageError } from '../task/errors.ts';
import type { JobLimits } from '../task/job-limits.ts';
import { orAborted } from '../waiting.ts';
import { followJob, type Look, requireManifest } from './follow.ts';
import { ItemFailed } from './item-error.ts';
import { type JobStatus, jobStatus } from './job-status.ts';
import type { Progress } from './progress.ts';
import { type RedriveOptions, redriveJob } from './redrive.ts';
import type { Stack } from './stack.ts';
import { cancelJob, pauseJob, type TuneOptions, tuneJob, unpauseJob } from './steer.ts';

/** An item's one recorded outcome; `value` has the type that the task resolves to. */
export type ItemRow<Value> =
  | (Omit<Extract<Row, { readonly status: 'succeeded' }>, 'value'> & { readonly value: Value })
  | Exclude<Row, { readonly status: 'succeeded' }>;

/** What every method that waits takes. */
export interface WaitOptions {
  /** Ends the wait, not the job; only the job of `map`, which nobody else reads, is cancelled. The method rejects with the signal's reason. @default none */
  readonly signal?: AbortSignal;
}

/** What every method that changes a job takes. */
export interface ChangeOptions extends WaitOptions {
  /** Who asks, for whoever looks at the job later. @default 'a program' */
  readonly by?: string;
}

/** Which rows {@link Job.batches} gives. */
export interface BatchOptions extends WaitOptions {
  /** The rows that are there now, without waiting for the others. @default false */
  readonly partial?: boolean;
}

/** One job: awaited like a task, cancelled like one. It goes on when nobody looks; `find` on another connection gives it again. */
export class Job<Value = unknown> {
  /** 20 letters and digits; the ids of newer jobs sort first. */
  readonly id: string;
  readonly #stack: Stack;
  #answer: Promise<FanOutAnswer> | undefined;

  /** Made by `submit` and `find`. @param answer of the fan-out that is still at work on the job */
  constructor(stack: Stack, id: string, answer?: Promise<FanOutAnswer>) {
    this.#stack = stack;
    this.id = id;
    this.#answer = answer;
  }

  /**
   * Waits for the job's end and gives its summary, whatever became of the items.
   *
   * @throws UsageError `JobNotFound`, or why the input was refused and nothing ran
   */
  async summary({ signal }: WaitOptions = {}): Promise<Summary> {
    const looks = this.#follow(signal);
    while (true) {
      const look = await looks.next();
      if (look.done === true) return ended(look.value);
    }
  }

  /** Tells how far the job is, each time that is known anew, until it has ended. @throws UsageError as {@link summary} */
  async *progress({ signal }: WaitOptions = {}): AsyncGenerator<Progress, Summary> {
    const looks = this.#follow(signal);
    while (true) {
      const look = await looks.next();
      if (look.done === true) return ended(look.value);
      yield look.value.progress;
    }
  }

  /** Waits for the job's end and gives its rows in the order of the items. @throws UsageError as {@link summary} */
  async *results(options: WaitOptions = {}): AsyncGenerator<ItemRow<Value>> {
    for await (const rows of this.batches(options)) yield* rows;
  }

  /**
   * As {@link results}, a chunk of rows at a time, which costs less where they are many.
   *
   * @throws UsageError as {@link summary}
   */
  async *batches(options: BatchOptions = {}): AsyncGenerator<ReadonlyArray<ItemRow<Value>>> {
    const atHand = await this.#whenReadable(options);
    if (atHand !== undefined) {
      yield typed<Value>(atHand);
      return;
    }
    for await (const rows of readJobRows(this.#stack.store, this.id)) {
      options.signal?.throwIfAborted();
      yield typed<Value>(rows);
    }
  }

  /** As {@link batches}, as the bytes of the JSON lines that they stand in. @internal */
  async *lines(options: BatchOptions = {}): AsyncGenerator<Uint8Array> {
    const atHand = await this.#whenReadable(options);
    if (atHand !== undefined) {
      yield new TextEncoder().encode(toJsonLines(atHand));
      return;
    }
    for await (const lines of readJobLines(this.#stack.store, this.id)) {
      options.signal?.throwIfAborted();
      yield lines;
    }
  }

  /** Waits until rows can be read; those of a small job may have come with its answer. */
  async #whenReadable({ signal, partial = false }: BatchOptions): Promise<readonly Row[] | undefined> {
    if (!partial) await this.summary(signal === undefined ? {} : { signal });
    else await requireManifest(this.#stack.store, this.id);
    return partial ? undefined : this.#answeredRows();
  }

  /** Waits for the job's end and gives the items' values in their order. @throws ItemFailed at the first item that has none */
  async *values(options: WaitOptions = {}): AsyncGenerator<Value> {
    for await (const row of this.results(options)) {
      if (row.status !== 'succeeded') throw new ItemFailed(this.id, row);
      yield row.value;
    }
  }

  /** Gives rows as they settle, a chunk at a time, in no order; each item's row comes once. @throws UsageError as {@link summary} */
  async *asCompleted({ signal }: WaitOptions = {}): AsyncGenerator<ItemRow<Value>> {
    const { store } = this.#stack;
    // The outcomes of a job that was driven again are told apart only when it has ended.
    if ((await newestFolder(store, this.id)).pass > 0) {
      yield* this.results(signal === undefined ? {} : { signal });
      return;
    }
    const seen = new Set<string>();
    const looks = this.#follow(signal, true);
    let look = await looks.next();
    for (; look.done !== true; look = await looks.next()) {
      for (const place of look.value.settled.fresh) {
        seen.add(`${place.part}/${place.chunk}`);
        yield* typed<Value>((await readChunkRows(store, this.id, place)) ?? []);
        signal?.throwIfAborted();
      }
    }
    const summary = ended(look.value);
    if (summary.end === 'cancelled') yield* this.#neverSent(seen);
  }

  /**
   * Asks that the job be cancelled: its calls are aborted within some seconds, and what has not settled ends as `cancelled`.
   *
   * @returns whether it had ended before
   * @throws UsageError `JobNotFound`
   */
  async cancel({ by = 'a program', signal }: ChangeOptions = {}): Promise<'cancelling' | 'ended'> {
    return unlessAborted(signal, () => cancelJob(this.#stack, this.id, by));
  }

  /**
   * Runs items of the job again, as a pass of it: those that failed, or those whose failure is named. From then on this object
   * follows the pass; `results()` gives each item's newest outcome, and `summary()` counts all passes as one.
   *
   * @returns how many items run again
   * @throws UsageError `JobNotFound`; `InvalidRequest` while the job runs; `EmptyInput` where no item is among those
   */
  async redrive(options: RedriveOptions = {}): Promise<number> {
    const items = await redriveJob(this.#stack, this.id, options);
    this.#answer = undefined;
    return items;
  }

  /**
   * Lets the job rest: nothing starts any more within 3 s, what runs ends, its rows are kept, and {@link resume} goes on. A pause of
   * days costs one turn in 15 minutes.
   *
   * @throws UsageError `JobNotFound`, `InvalidRequest` when it has ended or is being cancelled
   */
  async pause({ by = 'a program', signal }: ChangeOptions = {}): Promise<void> {
    await unlessAborted(signal, () => pauseJob(this.#stack, this.id, by));
  }

  /** Lets the job go on, whatever it paused for. @throws UsageError as {@link pause} */
  async resume({ by = 'a program', signal }: ChangeOptions = {}): Promise<void> {
    await unlessAborted(signal, () => unpauseJob(this.#stack, this.id, by));
  }

  /**
   * Changes limits while the job runs: lower ones are obeyed within 3 s, higher ones within 5 s. `null` takes one away.
   *
   * @returns the limits that hold then
   * @throws UsageError as {@link pause}
   * @example
   * await job.tune({ rate: '10/s', maxConcurrency: null });
   */
  async tune(change: TuneOptions, { by = 'a program', signal }: ChangeOptions = {}): Promise<JobLimits> {
    return (await unlessAborted(signal, () => tuneJob(this.#stack, this.id, by, change))).table.limits;
  }

  /** How the job stands now. Sends the turn that is overdue where somebody can take it. @throws UsageError `JobNotFound` */
  async status({ signal }: WaitOptions = {}): Promise<JobStatus> {
    return unlessAborted(signal, () => jobStatus(this.#stack, this.id));
  }

  /** Rows of a job that was run inline, from the answer itself. */
  async #answeredRows(): Promise<readonly Row[] | undefined> {
    // A job that has ended may still wait for an answer that was lost.
    const answer = await Promise.race([
      this.#answer?.catch(() => undefined),
      Promise.resolve(undefined).then(() => undefined),
    ]);
    return answer?.state === 'done' ? answer.rows : undefined;
  }

  #follow(signal = new AbortController().signal, toTheLast = false): AsyncGenerator<Look, Summary> {
    return followJob(this.#stack, this.id, { signal, answer: this.#answer, toTheLast });
  }

  /** Rows of chunks that were never sent, since their job was cancelled before. */
  async *#neverSent(seen: ReadonlySet<string>): AsyncGenerator<ItemRow<Value>> {
    const { store } = this.#stack;
    const { of } = await new SettledChunks(store, this.id).refresh();
    for (const part of of?.parts.keys() ?? []) {
      for (const [chunk, { first, count }] of ((await readTable(store, this.id, part))?.chunks ?? []).entries()) {
        if (!seen.has(`${part}/${chunk}`)) yield* typed<Value>(cancelledRows(first, count));
      }
    }
  }
}

/** Begins no work for a signal that has aborted, and waits no longer than until it does. */
async function unlessAborted<Result>(
  signal: AbortSignal = new AbortController().signal,
  work: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  return orAborted(work(), signal);
}

/** What the job's task resolved to is what stands in its rows; a string task's values are `unknown`. */
const typed = <Value>(rows: readonly Row[]): readonly ItemRow<Value>[] => rows as readonly ItemRow<Value>[];

/** A summary, unless the job never ran. @throws UsageError what was wrong with an input that was refused as a whole */
function ended(summary: Summary): Summary {
  if (summary.end !== 'refused') return summary;
  const { code = '', message = 'no reason is known' } = summary.problem ?? {};
  throw new UsageError(isUsageCode(code) ? code : 'InvalidInput', `the input was refused and nothing ran: ${message}`);
}
