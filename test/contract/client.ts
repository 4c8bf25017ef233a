import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, vi } from 'vitest';
import { clientSettings } from '../../src/aws/connection.ts';
import { JobStore } from '../../src/aws/job-store.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { SqsQueue, sqsClient } from '../../src/aws/work-queue.ts';
import type { SteerDeps } from '../../src/client/stack.ts';
import { readSummary } from '../../src/folder/read.ts';
import { readRows } from '../../src/folder/read-rows.ts';
import { emptyDigest, reasonOf } from '../../src/format/digest.ts';
import { newJobId } from '../../src/format/job-id.ts';
import type { Row } from '../../src/format/outcome.ts';
import { inputKey } from '../../src/format/paths.ts';
import type { FanOutAnswer } from '../../src/format/request.ts';
import type { Summary } from '../../src/format/summary.ts';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { systemClock } from '../../src/runtime/system.ts';

/** A target that the suite runs against. */
export interface Harness {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly outputs: Readonly<Record<string, string>>;
  /** Arguments by which the command line finds the same target. */
  readonly cli: readonly string[];
}

/** What the stacks under test are made with: short holds and few deliveries, so that deaths do not take minutes. */
export const contractSettings = {
  workers: 3,
  leaseSeconds: 5,
  maxReceiveCount: 2,
  allowPrivateNetwork: true,
  tasks: path.join(import.meta.dirname, 'tasks'),
  removalPolicy: 'destroy',
} as const;

/** A job that takes longer hangs: no promise is about this time, so that a slow machine has enough of it. */
const endsWithinMs = 240_000;

/** Uses a stack as a caller does: by the fan-out function, the bucket, and the queues. */
export class ContractClient {
  readonly store: JobStore;
  readonly workQueue: SqsQueue;
  readonly tickQueue: SqsQueue;
  readonly clock = systemClock;
  /** What steering a job needs; a job of this suite has begun when it is steered. */
  readonly steer: SteerDeps;
  readonly bucket: string;
  readonly #lambda: LambdaClient;
  readonly #fanOut: string;

  constructor(harness: Harness) {
    const output = (name: string): string => harness.outputs[name] ?? '';
    const sqs = sqsClient(harness);
    this.bucket = output(stackOutputs.bucket);
    this.store = new JobStore(s3Client(harness), this.bucket);
    this.workQueue = new SqsQueue(sqs, output(stackOutputs.workQueueUrl));
    this.tickQueue = new SqsQueue(sqs, output(stackOutputs.tickQueueUrl));
    this.#lambda = new LambdaClient(clientSettings(harness));
    const invoke = (): never => {
      throw new Error('expected a job that has begun');
    };
    this.steer = { store: this.store, tickQueue: this.tickQueue, clock: this.clock, invoke };
    this.#fanOut = output(stackOutputs.fanOutFunction);
  }

  /** Invokes the fan-out function as `aws lambda invoke` does. */
  async invoke(payload: unknown) {
    const answer = await this.#lambda.send(
      new InvokeCommand({ FunctionName: this.#fanOut, Payload: JSON.stringify(payload), LogType: 'Tail' }),
    );
    return {
      functionError: answer.FunctionError,
      payload: JSON.parse(new TextDecoder().decode(answer.Payload)) as unknown,
      logTail: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    };
  }

  /** Starts a job by the fan-out function; items go to S3 as given, a line each. */
  async submit(job: {
    readonly task?: string;
    readonly lines: readonly string[];
    readonly options?: object;
  }): Promise<string> {
    const jobId = newJobId(Date.now(), Math.random);
    const key = inputKey(jobId);
    await this.store.put(key, job.lines.join('\n'));
    const request = {
      task: job.task ?? 'flaky',
      input: `s3://${this.bucket}/${key}`,
      options: job.options ?? {},
      clientToken: jobId,
    };
    const { payload, functionError } = await this.invoke(request);
    expect(functionError, JSON.stringify(payload)).toBeUndefined();
    // The fan-out's answer, since there was no function error.
    return (payload as FanOutAnswer).jobId;
  }

  submitItems(items: readonly unknown[], options?: object): Promise<string> {
    return this.submit({
      lines: items.map((item) => JSON.stringify(item)),
      ...(options === undefined ? {} : { options }),
    });
  }

  /** Waits for the job's summary, and proves it: one row for each index in order, and counts that equal the rows. */
  async ended(jobId: string): Promise<{ summary: Summary; rows: Row[] }> {
    const summary = await this.until(`the end of job ${jobId}`, () => readSummary(this.store, jobId));
    const rows: Row[] = [];
    for await (const chunk of readRows(this.store, jobId)) rows.push(...chunk);
    expect(rows.map((row) => row.index)).toEqual(Array.from({ length: summary.items }, (_, index) => index));
    const { succeeded, failed, cancelled, codes } = summary.totals;
    const counted = { ...emptyDigest, succeeded: 0, failed: 0, cancelled: 0 };
    const countedCodes: Record<string, number> = {};
    for (const row of rows) {
      counted[row.status]++;
      if (row.status === 'failed') countedCodes[reasonOf(row.error)] = (countedCodes[reasonOf(row.error)] ?? 0) + 1;
    }
    expect({ succeeded, failed, cancelled, codes }).toEqual({
      succeeded: counted.succeeded,
      failed: counted.failed,
      cancelled: counted.cancelled,
      codes: countedCodes,
    });
    return { summary, rows };
  }

  /** Asks again until the answer is there. */
  until<Answer>(what: string, ask: () => Promise<Answer | undefined>): Promise<Answer> {
    return vi.waitFor(
      async () => {
        const answer = await ask();
        if (answer === undefined) throw new Error(`expected ${what} within ${endsWithinMs} ms`);
        return answer;
      },
      { timeout: endsWithinMs, interval: 100 },
    );
  }
}
