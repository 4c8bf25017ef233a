import { sleep } from '../aio/sleep.ts';
import type { Connection } from '../aws/connection.ts';
import { readCut, readManifest, readSummary, settledInPart } from '../folder/read.ts';
import { readChunkRows, readRows } from '../folder/read-rows.ts';
import { newJobId } from '../format/job-id.ts';
import { toJsonLines } from '../format/json.ts';
import type { Row } from '../format/outcome.ts';
import { inputKey } from '../format/paths.ts';
import type { FanOutRequest } from '../format/request.ts';
import type { Summary } from '../format/summary.ts';
import { systemRandom } from '../runtime/system.ts';
import { isUsageCode, UsageError } from '../task/errors.ts';
import { type OpenStack, openStack } from './stack.ts';
import { cancelJob, type SteerDeps } from './steer.ts';

/** A deployed stack as a program uses it: starts jobs, and finds those that were started. */
export class Jobs {
  readonly #stack: OpenStack;

  /** @param outputs of the stack, by name. */
  constructor(connection: Connection, outputs: Readonly<Record<string, string>>) {
    this.#stack = openStack(connection, outputs);
  }

  /**
   * Starts a job over items that fit in memory; the command line streams larger inputs.
   *
   * @throws UsageError what the fan-out refuses: an unknown task, options out of range.
   */
  async submit(
    task: string,
    items: readonly unknown[],
    options: NonNullable<FanOutRequest['options']> = {},
  ): Promise<Job> {
    const { bucket, steer } = this.#stack;
    const jobId = newJobId(steer.clock.now(), systemRandom);
    const key = inputKey(jobId);
    await steer.store.put(key, toJsonLines(items));
    await this.#stack.startJob({ task, input: `s3://${bucket}/${key}`, options, clientToken: jobId });
    return new Job(steer, jobId);
  }

  /** A job that was started before, perhaps by another program. */
  find(jobId: string): Job {
    return new Job(this.#stack.steer, jobId);
  }

  /** Closes the connections. */
  close(): void {
    this.#stack.close();
  }
}

/** How often a job's folder is looked at. */
const lookMs = 250;

/** One job: awaited like a task, cancelled like one. */
export class Job {
  readonly id: string;
  readonly #deps: SteerDeps;

  constructor(deps: SteerDeps, id: string) {
    this.#deps = deps;
    this.id = id;
  }

  /** Waits for the job's end. @throws UsageError `JobNotFound`, or why the input was refused and nothing ran */
  async summary(): Promise<Summary> {
    while (true) {
      const summary = await this.#ended();
      if (summary !== undefined) return summary;
      await sleep(lookMs);
    }
  }

  /** Waits for the job's end and gives its rows in the order of the items, as `gather` does. */
  async *results(): AsyncGenerator<Row> {
    await this.summary();
    for await (const rows of readRows(this.#deps.store, this.id)) yield* rows;
  }

  /** Gives rows as they settle, as `asCompleted` does: a chunk at a time, in no order; items that were never sent have none. */
  async *asCompleted(): AsyncGenerator<Row> {
    const { store } = this.#deps;
    const seen = new Set<string>();
    while (true) {
      const summary = await this.#ended();
      for (const part of (await readCut(store, this.id))?.parts.keys() ?? []) {
        for (const chunk of await settledInPart(store, this.id, part)) {
          if (seen.has(`${part}/${chunk}`)) continue;
          seen.add(`${part}/${chunk}`);
          yield* (await readChunkRows(store, this.id, { part, chunk })) ?? [];
        }
      }
      if (summary !== undefined) return;
      await sleep(lookMs);
    }
  }

  /** Asks that the job be cancelled; what has not settled ends as `cancelled`. @throws UsageError `JobNotFound` */
  async cancel(): Promise<void> {
    await cancelJob(this.#deps, this.id, 'a program');
  }

  async #ended(): Promise<Summary | undefined> {
    const { store } = this.#deps;
    const summary = await readSummary(store, this.id);
    if (summary?.problem !== undefined) {
      const { code, message } = summary.problem;
      throw new UsageError(
        isUsageCode(code) ? code : 'InvalidInput',
        `the input was refused and nothing ran: ${message}`,
      );
    }
    if (summary === undefined && (await readManifest(store, this.id)) === undefined) {
      throw new UsageError('JobNotFound', `expected the id of a job, got "${this.id}"; "fanloop jobs" lists them`);
    }
    return summary;
  }
}
