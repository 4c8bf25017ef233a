import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { limits } from '../src/limits.ts';
import { environmentNames, stackOutputs } from '../src/runtime/environment.ts';
import type { Bundles } from './bundle.ts';
import { JobBucket } from './job-bucket.ts';
import { JobFunction } from './job-function.ts';
import { JobQueues } from './job-queues.ts';
import { maxReceiveCounts } from './settings.ts';
import { TaskTable } from './task-table.ts';

/** Options of {@link FanloopStack}. */
export interface FanloopStackProps extends StackProps {
  /** The code of the functions. */
  readonly bundles: Bundles;
  /** Workers that run at once, 2 to 1,000. @default 5 */
  readonly workers?: number;
  /** A worker's hold on a message, renewed while it lives. @default 60 seconds */
  readonly lease?: Duration;
  /** Deliveries before a message is a dead letter, 2 to 1,000. @default 5 */
  readonly maxReceiveCount?: number;
  /** Whether tasks may call addresses of private networks. @default false */
  readonly allowPrivateNetwork?: boolean;
  /** Names of buckets, beside the stack's own, that jobs may read their input from. @default none */
  readonly inputBuckets?: readonly string[];
  /** Whether the stack has a table of its own for the task `database`. @default true */
  readonly table?: boolean;
  /** Names of tables, beside the stack's own, that tasks may read and write by key. @default none */
  readonly otherTables?: readonly string[];
  /** What happens to the jobs and the table when the stack is removed. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/** Two ticks at once keep every job's loop turning, and leave a new account's 10 executions to the workers; dead letters are rare. */
const turnsAtOnce = 2;

/** All of Fanloop in one stack: a bucket, three queues, and the four functions that move a job through them; and a table for the tasks. */
export class FanloopStack extends Stack {
  constructor(scope: Construct, id: string, props: FanloopStackProps) {
    super(scope, id, props);
    const workers = props.workers ?? limits.workers;
    const lease = props.lease ?? Duration.seconds(limits.leaseSeconds);
    const maxReceiveCount = props.maxReceiveCount ?? limits.maxReceiveCount;
    requireRange('workers', workers, [limits.minWorkers, limits.maxWorkers]);
    requireRange('lease in seconds', lease.toSeconds(), [1, limits.workerTimeoutSeconds]);
    requireRange('maxReceiveCount', maxReceiveCount, maxReceiveCounts);

    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const { bucket } = new JobBucket(this, 'Jobs', { removalPolicy });
    const table = (props.table ?? true) ? new TaskTable(this, 'Tasks', { removalPolicy }).table : undefined;
    const queues = new JobQueues(this, 'Queues', { maxReceiveCount });
    const environment = {
      [environmentNames.bucket]: bucket.bucketName,
      [environmentNames.workQueueUrl]: queues.work.queueUrl,
      [environmentNames.tickQueueUrl]: queues.tick.queueUrl,
      [environmentNames.workers]: String(workers),
      [environmentNames.leaseSeconds]: String(lease.toSeconds()),
      [environmentNames.allowPrivateNetwork]: String(props.allowPrivateNetwork ?? false),
      [environmentNames.bundleHash]: props.bundles.hash,
    };
    // Functions that run items find the table by it.
    const taskEnvironment = { ...environment, ...(table && { [environmentNames.table]: table.tableName }) };

    const fanOut = new JobFunction(this, 'FanOut', {
      description: 'Takes a request, and starts a job or runs a small one at once',
      code: props.bundles.folders['fan-out'],
      timeout: Duration.seconds(limits.fanOutTimeoutSeconds),
      memoryMb: limits.fanOutMemoryMb,
      environment: taskEnvironment,
    });
    const worker = new JobFunction(this, 'Worker', {
      description: 'Runs the items of chunks on one event loop',
      code: props.bundles.folders.worker,
      timeout: Duration.seconds(limits.workerTimeoutSeconds),
      memoryMb: limits.workerMemoryMb,
      environment: taskEnvironment,
      loops: true,
    });
    const tick = new JobFunction(this, 'Tick', {
      description: "Takes one turn of a job's loop",
      code: props.bundles.folders.tick,
      timeout: Duration.seconds(limits.tickTimeoutSeconds),
      memoryMb: limits.tickMemoryMb,
      environment,
      loops: true,
    });
    const deadLetter = new JobFunction(this, 'DeadLetter', {
      description: 'Gives the items of messages that nobody could process an outcome',
      code: props.bundles.folders['dead-letter'],
      timeout: Duration.seconds(limits.deadLetterTimeoutSeconds),
      memoryMb: limits.deadLetterMemoryMb,
      environment,
      loops: true,
    });

    // A worker pulls further messages itself, so one message is enough to start it.
    worker.consume(queues.work, { batchSize: 1, maxConcurrency: workers });
    tick.consume(queues.tick, { batchSize: 1, maxConcurrency: turnsAtOnce });
    deadLetter.consume(queues.deadLetter, { batchSize: 10, maxConcurrency: turnsAtOnce });

    for (const { function: reader } of [fanOut, worker, tick]) {
      // Input may be anywhere in the bucket; listing makes an absent key a 404, where S3 would answer 403.
      bucket.grantRead(reader);
    }
    bucket.grantRead(deadLetter.function, 'jobs/*');
    for (const { function: writer } of [fanOut, worker, tick, deadLetter]) bucket.grantPut(writer, 'jobs/*');
    bucket.grantPut(fanOut.function, 'tokens/*');
    // The markers of unfinished jobs: made by the fan-out, taken away by whoever writes the summary.
    bucket.grantPut(fanOut.function, 'running/*');
    for (const { function: ender } of [fanOut, tick]) bucket.grantDelete(ender, 'running/*');
    const chunkSenders: readonly IGrantable[] = [fanOut.function, worker.function, tick.function];
    const tickSenders: readonly IGrantable[] = [fanOut.function, tick.function, deadLetter.function];
    for (const sender of chunkSenders) queues.work.grantSendMessages(sender);
    for (const sender of tickSenders) queues.tick.grantSendMessages(sender);
    for (const runner of [fanOut.function, worker.function]) {
      // Tasks read and write by key in batches, and do nothing else with a table.
      table?.grant(runner, 'dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem');
    }
    for (const name of props.otherTables ?? []) {
      const other = Table.fromTableName(this, `Table-${name}`, name);
      // The key of a table that this stack did not make has to be asked for.
      const actions = ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:DescribeTable'];
      for (const runner of [fanOut.function, worker.function]) other.grant(runner, ...actions);
    }
    for (const name of props.inputBuckets ?? []) {
      const input = Bucket.fromBucketName(this, `Input-${name}`, name);
      for (const { function: reader } of [fanOut, worker, tick]) input.grantRead(reader);
    }

    this.output(stackOutputs.bucket, bucket.bucketName);
    this.output(stackOutputs.workQueueUrl, queues.work.queueUrl);
    this.output(stackOutputs.tickQueueUrl, queues.tick.queueUrl);
    this.output(stackOutputs.deadLetterQueueUrl, queues.deadLetter.queueUrl);
    this.output(stackOutputs.fanOutFunction, fanOut.function.functionName);
    this.output(stackOutputs.workerFunction, worker.function.functionName);
    this.output(stackOutputs.tickFunction, tick.function.functionName);
    this.output(stackOutputs.deadLetterFunction, deadLetter.function.functionName);
    this.output(stackOutputs.workers, String(workers));
    if (table !== undefined) this.output(stackOutputs.table, table.tableName);
  }

  private output(name: string, value: string): void {
    new CfnOutput(this, name, { value });
  }
}

function requireRange(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`expected ${name} to be a whole number from ${least} to ${most}, got ${value}`);
  }
}
