import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Alarm, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Connections, IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { IRuleTarget } from 'aws-cdk-lib/aws-events';
import type { Grant, IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricNames } from '../src/format/metrics.ts';
import { limits } from '../src/limits.ts';
import type { FanloopProps } from './fanloop-props.ts';
import { JobBucket } from './job-bucket.ts';
import { jobFunctions } from './job-functions.ts';
import { grantFunctions, grantSubmit } from './job-grants.ts';
import { jobAlarm, jobMetric } from './job-metrics.ts';
import { jobOutputs, nameInStack } from './job-outputs.ts';
import { JobQueue } from './job-queue.ts';
import { type JobTargetProps, jobTarget } from './job-target.ts';
import { checkProps } from './settings.ts';
import { taskNetwork } from './task-network.ts';
import { taskPrincipal } from './task-principal.ts';
import { TaskTable } from './task-table.ts';

/**
 * Runs one async task over many items: a bucket, three queues, the four functions that move a job through them, and a table.
 * As a grantee it is all functions that run tasks, so `table.grantReadData(jobs)` lets the tasks read a table.
 *
 * @example
 * const jobs = new Fanloop(this, 'Jobs', { tasks: 'tasks', workers: 20 });
 * jobs.grantSubmit(api);
 */
export class Fanloop extends Construct implements IGrantable, IConnectable {
  /** Holds each job as a folder below `jobs/`. */
  readonly bucket: Bucket;
  /** One message stands for up to 1,000 items. */
  readonly workQueue: Queue;
  /** One message is the next turn of a job's loop. */
  readonly tickQueue: Queue;
  /** Messages of both queues that nobody could process. */
  readonly deadLetterQueue: Queue;
  /** Starts a job: invoke it with `{"task": …, "items": […]}` or `{"task": …, "input": "s3://…"}`. */
  readonly fanOutFunction: LambdaFunction;
  /** Runs items. */
  readonly workerFunction: LambdaFunction;
  /** Takes the turns of jobs. */
  readonly tickFunction: LambdaFunction;
  /** Gives the items of dead letters an outcome. */
  readonly deadLetterFunction: LambdaFunction;
  /** The table of the task `database`; undefined where the props want none. */
  readonly table: Table | undefined;
  /** Rings when a job stands still and somebody has to look; an action of yours tells whom. */
  readonly stalledAlarm: Alarm;
  /** Rings when a message could not be processed again and again, as when an item crashes its worker. */
  readonly deadLetterAlarm: Alarm;
  /** Names of all tasks, those that come along included. */
  readonly tasks: readonly string[];
  /** All functions that run tasks: what it is granted, tasks may do. */
  readonly grantPrincipal: IPrincipal;
  /** The network interfaces of the functions that run tasks; without a VPC they have no security group. */
  readonly connections: Connections;
  readonly #name: string;

  /** @throws Error in one sentence when a number is out of its range, or a task cannot be bundled */
  constructor(scope: Construct, id: string, props: FanloopProps = {}) {
    super(scope, id);
    checkProps(props);
    this.#name = [Stack.of(this).stackName, nameInStack(this)].filter(Boolean).join('/');
    const { encryptionKey, removalPolicy = RemovalPolicy.RETAIN, maxReceiveCount = limits.maxReceiveCount } = props;
    const workerTimeout = props.timeout ?? Duration.seconds(limits.workerTimeoutSeconds);

    this.bucket = new JobBucket(this, 'Bucket', {
      removalPolicy,
      encryptionKey,
      jobExpiration: props.jobExpiration,
    });
    this.table = (props.table ?? true) ? new TaskTable(this, 'Table', { removalPolicy, encryptionKey }) : undefined;
    this.deadLetterQueue = new JobQueue(this, 'DeadLetterQueue', {
      visibilitySeconds: limits.deadLetterQueueVisibilitySeconds,
      encryptionKey,
    });
    const deadLetterQueue = { queue: this.deadLetterQueue, maxReceiveCount };
    this.workQueue = new JobQueue(this, 'WorkQueue', {
      visibilitySeconds: limits.visibilityTimeouts * workerTimeout.toSeconds(),
      encryptionKey,
      deadLetterQueue,
    });
    this.tickQueue = new JobQueue(this, 'TickQueue', {
      visibilitySeconds: limits.tickQueueVisibilitySeconds,
      encryptionKey,
      deadLetterQueue,
    });

    const network = taskNetwork(this, props);
    this.connections = network.connections;
    const { functions, bundleHash, tasks } = jobFunctions(this, props, { name: this.#name, network, workerTimeout });
    this.tasks = tasks;
    this.fanOutFunction = functions['fan-out'];
    this.workerFunction = functions.worker;
    this.tickFunction = functions.tick;
    this.deadLetterFunction = functions['dead-letter'];
    this.grantPrincipal = taskPrincipal([this.fanOutFunction, this.workerFunction]);
    grantFunctions(this, { ...props, name: this.#name });

    this.stalledAlarm = jobAlarm(this, 'StalledAlarm', {
      metric: this.metricJobsStalled(),
      alarmDescription:
        'A job stands still since its tick died again and again; "fanloop watch" or "fanloop cancel" moves it on',
    });
    this.deadLetterAlarm = jobAlarm(this, 'DeadLetterAlarm', {
      metric: this.metricDeadLetters(),
      alarmDescription: 'A message was delivered again and again and never processed; "fanloop logs" tells why',
    });
    jobOutputs(this, { workers: props.workers ?? limits.workers, bundleHash, tasks: props.tasks });
  }

  /** Lets somebody start jobs, follow and cancel them, and read their results, by this stack's and this construct's name. */
  grantSubmit(grantee: IGrantable): Grant {
    return grantSubmit(this, grantee);
  }

  /** A target of EventBridge rules: each event starts a job, once even when it is delivered twice. */
  target(props: JobTargetProps): IRuleTarget {
    return jobTarget(this, props);
  }

  /** Jobs that began. @default sum over 5 minutes */
  metricJobsStarted(props?: MetricOptions): Metric {
    return this.metric(metricNames.jobsStarted, props);
  }

  /** Jobs that ended, cancelled ones too. @default sum over 5 minutes */
  metricJobsEnded(props?: MetricOptions): Metric {
    return this.metric(metricNames.jobsEnded, props);
  }

  /** Jobs that stand still until somebody looks at them. @default sum over 5 minutes */
  metricJobsStalled(props?: MetricOptions): Metric {
    return this.metric(metricNames.jobsStalled, props);
  }

  /** Items that ended with a result. @default sum over 5 minutes */
  metricItemsSucceeded(props?: MetricOptions): Metric {
    return this.metric(metricNames.itemsSucceeded, props);
  }

  /** Items that ended with an error, after all their attempts. @default sum over 5 minutes */
  metricItemsFailed(props?: MetricOptions): Metric {
    return this.metric(metricNames.itemsFailed, props);
  }

  /** Items that had begun, or were sent, when their job was cancelled. @default sum over 5 minutes */
  metricItemsCancelled(props?: MetricOptions): Metric {
    return this.metric(metricNames.itemsCancelled, props);
  }

  /** Messages that were given up: dead ticks, and chunks whose unsettled items have failed. @default sum over 5 minutes */
  metricDeadLetters(props?: MetricOptions): Metric {
    return this.metric(metricNames.deadLetters, props);
  }

  /** One of the metrics that this construct's functions count, by its name in the namespace `Fanloop`. @default sum over 5 minutes */
  metric(metricName: string, props?: MetricOptions): Metric {
    return jobMetric(this, { metricName, whose: this.#name, ...props });
  }
}
