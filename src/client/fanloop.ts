import { listJobs } from '../folder/list-jobs.ts';
import { markRunning, unmarkRunning } from '../folder/running.ts';
import { isJobId, newJobId } from '../format/job-id.ts';
import { UsageError } from '../task/errors.ts';
import { type JobLimitsInput, parseLimits } from '../task/job-limits.ts';
import type { Task } from '../task/task.ts';
import { nameOfTaskFile } from '../task/task-file.ts';
import { orAborted } from '../waiting.ts';
import { AbandonedJobs, type AskedJob } from './abandoned-jobs.ts';
import { noSuchJob } from './begin.ts';
import type { Items } from './item-blocks.ts';
import { Job, type WaitOptions } from './job.ts';
import { askToStart } from './patience.ts';
import { type Input, placeInput } from './place-input.ts';
import type { Stack } from './stack.ts';
import { startUnderToken } from './start.ts';
import { requireItems, requireSubmitOptions, requireTask } from './submit-options.ts';

/** Limits of a job's calls, and how it is asked for. */
export interface SubmitOptions extends WaitOptions {
  /** Calls at once, of all workers together: the same as `limits.maxConcurrency`. @default 100 a worker */
  readonly concurrency?: number | undefined;
  /** Calls that one worker awaits at once where no limit says less, 1 to 500. @default 100 */
  readonly perWorker?: number | undefined;
  /** What holds for the job as a whole: `{ rate: '50/s', maxConcurrency: 20, breaker: 50 }`. @default the task's */
  readonly limits?: JobLimitsInput | undefined;
  /** Limit of one attempt in milliseconds, 1 to 240,000. @default the task's */
  readonly timeoutMs?: number | undefined;
  /** Tries of an item, the first included, 1 to 20. @default the task's */
  readonly attempts?: number | undefined;
  /** Whether each item is written into its row. @default false */
  readonly withItem?: boolean | undefined;
  /**
   * Headers that the task `http` adds to each call, with the names of secrets in braces: `{ authorization: 'Bearer {API_TOKEN}' }`.
   * @default none
   */
  readonly secretHeaders?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether a job of at most 25 items runs at once, within the function that starts it; `false` sends it to the workers as any other.
   * @default true
   */
  readonly inline?: boolean;
  /** Told the job's id before its first call can happen. `items` is absent where the stack counts what was given as bytes. */
  readonly onSubmit?: (job: { readonly id: string; readonly items?: number }) => void;
}

/** A stack as a program uses it: starts jobs, and finds those that were started. `await using` closes it. */
export class Fanloop implements AsyncDisposable {
  readonly #stack: Stack;
  readonly #closing = new AbortController();
  readonly #abandoned: AbandonedJobs;

  /** @param stack that a target has connected */
  constructor(stack: Stack) {
    this.#stack = stack;
    this.#abandoned = new AbandonedJobs(stack);
  }

  /** Workers that run at once: a property of the stack. */
  get workers(): number {
    return this.#stack.workers;
  }

  /**
   * Starts a job over items: a list, an iterable, or an async iterable that is never held in memory as a whole.
   * Resolves when the job stands; it goes on from there, and `asCompleted()`, `results()`, and `values()` give its rows.
   *
   * @throws UsageError what the stack refuses: an unknown task, an item that the task's schema refuses, options out of range
   * @example
   * const job = await fanloop.submit(lookUp, [{ id: 7 }, { id: 8 }]);
   * for await (const row of job.asCompleted()) console.log(row.index, row.status);
   */
  submit<Item, Value>(
    task: Task<Item, Value>,
    items: Items<Item> | Input,
    options?: SubmitOptions,
  ): Promise<Job<Value>>;
  submit(task: string, items: Items<unknown> | Input, options?: SubmitOptions): Promise<Job>;
  async submit(
    task: string | Task<unknown, unknown>,
    items: Items<unknown> | Input,
    options: SubmitOptions = {},
  ): Promise<Job> {
    return this.#submit(task, items, options, { id: newJobId(this.#stack.clock.now(), this.#stack.random) });
  }

  async #submit(
    task: string | Task<unknown, unknown>,
    items: Items<unknown> | Input,
    options: SubmitOptions,
    asked: AskedJob,
  ): Promise<Job> {
    requireTask(task);
    requireSubmitOptions(options);
    requireItems(items);
    const jobId = asked.id;
    const closing = this.#closing.signal;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    signal.throwIfAborted();
    const { concurrency, perWorker, timeoutMs, attempts, withItem, secretHeaders, limits: jobLimits, inline } = options;
    const limits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(perWorker === undefined ? {} : { perWorker }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(attempts === undefined ? {} : { attempts }),
      ...(withItem === true ? { withItem } : {}),
      ...(secretHeaders === undefined ? {} : { secretHeaders }),
      ...(jobLimits === undefined ? {} : { limits: parseLimits(jobLimits) }),
    };
    const { count, ...input } = await placeInput(this.#stack, items, { jobId, signal });
    const request = {
      task: typeof task === 'string' ? task : nameOf(task),
      options: limits,
      ...input,
      // Long inputs are never run inline.
      ...(inline === false && 'items' in input ? { wait: false } : {}),
    };
    signal.throwIfAborted();
    // From here on the job is kept to, whatever becomes of this process: whoever looks for it asks the fan-out again.
    await askToStart({ clock: this.#stack.clock, signal }, () => {
      asked.marking = markRunning(this.#stack.store, jobId, request);
      return orAborted(asked.marking, signal);
    }).catch((error: unknown) => {
      // Whoever asked knows of no job.
      if (signal.aborted) this.#abandoned.cancel(asked);
      throw error;
    });
    options.onSubmit?.({ id: jobId, ...(count === undefined ? {} : { items: count }) });
    const { answer } = await startUnderToken(this.#stack, jobId, request, signal).catch(async (error: unknown) => {
      // What was refused never begins.
      if (error instanceof UsageError) await unmarkRunning(this.#stack.store, jobId);
      throw error;
    });
    return new Job(this.#stack, jobId, answer);
  }

  /**
   * Runs a task over items and gives the values in the order of the items, as `Promise.all` and p-map do; for results that fit in memory.
   *
   * No items are no values. Nobody else reads the job, so that `signal` ends it too: `map` rejects with the signal's reason at once,
   * and the job is cancelled. {@link submit} starts one that goes on.
   *
   * @throws ItemFailed when an item failed for good; the others have run all the same. UsageError as {@link submit}
   * @example
   * const users = await fanloop.map(lookUp, ids);
   */
  map<Item, Value>(task: Task<Item, Value>, items: Items<Item> | Input, options?: SubmitOptions): Promise<Value[]>;
  map(task: string, items: Items<unknown> | Input, options?: SubmitOptions): Promise<unknown[]>;
  async map(
    task: string | Task<unknown, unknown>,
    items: Items<unknown> | Input,
    options: SubmitOptions = {},
  ): Promise<unknown[]> {
    const asked: AskedJob = { id: newJobId(this.#stack.clock.now(), this.#stack.random) };
    try {
      const job = await this.#submit(task, items, options, asked);
      return await Array.fromAsync(job.values(options));
    } catch (error) {
      if (error instanceof UsageError && error.code === 'EmptyInput') return [];
      if (options.signal?.aborted === true) this.#abandoned.cancel(asked);
      throw error;
    }
  }

  /**
   * A job that was started before, perhaps by another program; whether it exists shows when it is asked for something.
   *
   * @throws UsageError `JobNotFound` for what can be no id of a job
   */
  find<Value = unknown>(jobId: string): Job<Value> {
    if (!isJobId(jobId)) throw noSuchJob(jobId);
    return new Job<Value>(this.#stack, jobId);
  }

  /** The ids of the stack's jobs, newest first. */
  async *jobs({ limit }: { readonly limit?: number } = {}): AsyncGenerator<string> {
    for await (const { jobId } of listJobs(this.#stack.store, limit === undefined ? {} : { limit })) yield jobId;
  }

  /** Closes the connections; the embedded cloud of this process ends, and its unfinished jobs go on when it is opened again. */
  async close(): Promise<void> {
    // Nobody waits any more for the answers of jobs that stand.
    this.#closing.abort(new Error('the connection was closed'));
    await this.#abandoned.cancelled();
    await this.#stack.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A task's name is its file's. @throws UsageError `UnknownTask` where the file cannot be told, as in a bundled program */
function nameOf(task: Task<unknown, unknown>): string {
  if (task.file !== undefined) return nameOfTaskFile(task.file);
  throw new UsageError(
    'UnknownTask',
    'expected a task from a file of its own, got one whose file is not known; name it: submit("look-up", items)',
  );
}
