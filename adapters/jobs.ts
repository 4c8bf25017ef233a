import { LambdaClient } from '@aws-sdk/client-lambda';
import { sleep } from '../core/aio/sleep.ts';
import { stackOutputs } from '../core/environment.ts';
import { newJobId } from '../core/job/job-id.ts';
import type { Row } from '../core/job/outcome.ts';
import { inputKey } from '../core/job/paths.ts';
import { readChunkRows, readCut, readRows, readSummary, settledInPart } from '../core/job/read.ts';
import type { FanOutRequest } from '../core/job/request.ts';
import { cancelJob, type SteerDeps } from '../core/job/steer.ts';
import type { Summary } from '../core/job/summary.ts';
import { type Connection, clientSettings } from './connection.ts';
import { invokeFanOut } from './fan-out-function.ts';
import { JobStore } from './job-store.ts';
import { s3Client } from './s3.ts';
import { systemClock, systemRandom } from './system.ts';
import { SqsQueue, sqsClient } from './work-queue.ts';

/** A deployed stack as a program uses it: starts jobs, and finds those that were started. */
export class Jobs {
  readonly #deps: SteerDeps;
  readonly #bucket: string;
  readonly #fanOut: (request: FanOutRequest) => ReturnType<typeof invokeFanOut>;
  readonly #destroy: () => void;

  /** @param outputs of the stack, by name. */
  constructor(connection: Connection, outputs: Readonly<Record<string, string>>) {
    const clients = {
      s3: s3Client(connection),
      sqs: sqsClient(connection),
      lambda: new LambdaClient(clientSettings(connection)),
    };
    this.#bucket = outputs[stackOutputs.bucket] ?? '';
    this.#deps = {
      store: new JobStore(clients.s3, this.#bucket),
      tickQueue: new SqsQueue(clients.sqs, outputs[stackOutputs.tickQueueUrl] ?? ''),
      clock: systemClock,
    };
    this.#fanOut = (request) => invokeFanOut(clients.lambda, outputs[stackOutputs.fanOutFunction] ?? '', request);
    this.#destroy = () => {
      for (const client of Object.values(clients)) client.destroy();
    };
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
    const jobId = newJobId(systemClock.now(), systemRandom);
    const key = inputKey(jobId);
    await this.#deps.store.put(key, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    await this.#fanOut({ task, input: `s3://${this.#bucket}/${key}`, options, clientToken: jobId });
    return new Job(this.#deps, jobId);
  }

  /** A job that was started before, perhaps by another program. */
  find(jobId: string): Job {
    return new Job(this.#deps, jobId);
  }

  /** Closes the connections. */
  close(): void {
    this.#destroy();
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

  /** Waits for the job's end. */
  async summary(): Promise<Summary> {
    while (true) {
      const summary = await readSummary(this.#deps.store, this.id);
      if (summary !== undefined) return summary;
      await sleep(lookMs);
    }
  }

  /** Waits for the job's end and gives its rows in the order of the items, as `gather` does. */
  async *results(): AsyncGenerator<Row> {
    await this.summary();
    for await (const rows of readRows(this.#deps.store, this.id)) yield* rows;
  }

  /** Gives rows as they settle, as `asCompleted` does: a chunk at a time, in no order. */
  async *asCompleted(): AsyncGenerator<Row> {
    const { store } = this.#deps;
    const seen = new Set<string>();
    while (true) {
      const summary = await readSummary(store, this.id);
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

  /** Asks that the job be cancelled; what has not settled ends as `cancelled`. */
  async cancel(): Promise<void> {
    await cancelJob(this.#deps, this.id, 'a program');
  }
}
