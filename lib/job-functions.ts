import { Duration } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import type { FunctionCode } from '../src/bundle/bundle-tasks.ts';
import type { FunctionName } from '../src/bundle/engine-parts.ts';
import { limits } from '../src/limits.ts';
import { environmentNames } from '../src/runtime/environment.ts';
import type { FanloopProps } from './fanloop-props.ts';
import { JobFunction, type JobFunctionProps } from './job-function.ts';
import type { JobState } from './job-parts.ts';
import { withTaskCode } from './task-code.ts';
import type { TaskNetwork } from './task-network.ts';

/** What the functions need beside the props. */
export interface JobFunctionsOptions {
  /** Whose metrics they count. */
  readonly name: string;
  readonly network: TaskNetwork;
  readonly workerTimeout: Duration;
}

/** The functions, and what is in their code. */
export interface JobFunctions {
  readonly functions: Readonly<Record<FunctionName, JobFunction>>;
  readonly bundleHash: string;
  /** Names of all tasks, those that come along included. */
  readonly tasks: readonly string[];
}

/** Two ticks at once keep every job's loop turning, and leave a new account's 10 executions to the workers; dead letters are rare. */
const turnsAtOnce = 2;

/** The four functions that move a job, each at its queue. @throws Error when a task cannot be bundled */
export function jobFunctions(
  jobs: Construct & JobState,
  props: FanloopProps,
  options: JobFunctionsOptions,
): JobFunctions {
  // Without staging, as for tools that run a template in place, the assets are where the bundles were put.
  const keep = jobs.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT) !== undefined;
  return withTaskCode({ tasks: props.tasks, keep }, (code) => {
    const functions = makeFunctions(jobs, props, { ...options, code });
    const workers = props.workers ?? limits.workers;
    // A worker pulls further messages itself, so one message is enough to start it.
    functions.worker.consume(jobs.workQueue, { batchSize: 1, maxConcurrency: workers });
    functions.tick.consume(jobs.tickQueue, { batchSize: 1, maxConcurrency: turnsAtOnce });
    functions['dead-letter'].consume(jobs.deadLetterQueue, { batchSize: 10, maxConcurrency: turnsAtOnce });
    return { functions, bundleHash: code.hash, tasks: code.tasks };
  });
}

function makeFunctions(
  jobs: Construct & JobState,
  props: FanloopProps,
  {
    name,
    network,
    workerTimeout,
    code,
  }: JobFunctionsOptions & { readonly code: Pick<FunctionCode, 'folder' | 'hash'> },
): Readonly<Record<FunctionName, JobFunction>> {
  const memorySize = props.memorySize ?? limits.workerMemoryMb;
  const environment = {
    ...props.environment,
    [environmentNames.bucket]: jobs.bucket.bucketName,
    [environmentNames.workQueueUrl]: jobs.workQueue.queueUrl,
    [environmentNames.tickQueueUrl]: jobs.tickQueue.queueUrl,
    [environmentNames.workers]: String(props.workers ?? limits.workers),
    [environmentNames.workerMemoryMb]: String(memorySize),
    [environmentNames.leaseSeconds]: String(props.lease?.toSeconds() ?? limits.leaseSeconds),
    [environmentNames.allowPrivateNetwork]: String(props.allowPrivateNetwork ?? false),
    [environmentNames.bundleHash]: code.hash,
    [environmentNames.name]: name,
  };
  // Functions that run items find the table by it, and are in the VPC.
  const forTasks = {
    environment: { ...environment, ...(jobs.table && { [environmentNames.table]: jobs.table.tableName }) },
    ...(network.placement && { network: network.placement }),
  };
  const make = (
    id: string,
    bundle: FunctionName,
    own: Pick<JobFunctionProps, 'description' | 'timeout' | 'memorySize' | 'loops' | 'network'> &
      Partial<Pick<JobFunctionProps, 'environment'>>,
  ): JobFunction =>
    new JobFunction(jobs, id, {
      code: code.folder,
      handler: `${bundle}.handler`,
      architecture: props.architecture ?? Architecture.ARM_64,
      logRetention: props.logRetention ?? RetentionDays.TWO_WEEKS,
      environment,
      ...own,
    });
  return {
    'fan-out': make('FanOut', 'fan-out', {
      description: 'Takes a request, and starts a job or runs a small one at once',
      timeout: Duration.seconds(limits.fanOutTimeoutSeconds),
      memorySize: limits.fanOutMemoryMb,
      ...forTasks,
    }),
    worker: make('Worker', 'worker', {
      description: 'Runs the items of chunks on one event loop',
      timeout: workerTimeout,
      memorySize,
      loops: true,
      ...forTasks,
    }),
    tick: make('Tick', 'tick', {
      description: "Takes one turn of a job's loop",
      timeout: Duration.seconds(limits.tickTimeoutSeconds),
      memorySize: limits.tickMemoryMb,
      loops: true,
    }),
    'dead-letter': make('DeadLetter', 'dead-letter', {
      description: 'Gives the items of messages that nobody could process an outcome',
      timeout: Duration.seconds(limits.deadLetterTimeoutSeconds),
      memorySize: limits.deadLetterMemoryMb,
      loops: true,
    }),
  };
}
