import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Code, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../src/limits.ts';

/** Options of {@link JobFunction}. */
export interface JobFunctionProps {
  /** One sentence, shown by the Lambda console. */
  readonly description: string;
  /** Folder of the bundle; its `index.mjs` exports `handler`. */
  readonly code: string;
  readonly timeout: Duration;
  /** Memory in MB; CPU comes in proportion. */
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the function sends messages that invoke it again; Lambda would stop such a chain after about 16 turns. @default false */
  readonly loops?: boolean;
}

/** How a function's event source mapping reads its queue. */
export interface ConsumeOptions {
  /** Messages of one invocation at most. */
  readonly batchSize: number;
  /** Invocations at once that the mapping makes at most, from 2. */
  readonly maxConcurrency: number;
}

/** One bundled function on Node 24 with a log group of its own. */
export class JobFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: JobFunctionProps) {
    super(scope, id);
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.code),
      handler: 'index.handler',
      timeout: props.timeout,
      memorySize: props.memoryMb,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      // Lambda's JSON format would wrap the JSON lines that the handlers write; the text format leaves them as they are.
      logGroup: new LogGroup(this, 'Logs', {
        retention: limits.logRetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      ...(props.loops && { recursiveLoop: RecursiveLoop.ALLOW }),
    });
  }

  /** Invokes the function with the queue's messages; those that it reports as failed stay in the queue. */
  consume(queue: Queue, options: ConsumeOptions): void {
    this.function.addEventSource(new SqsEventSource(queue, { ...options, reportBatchItemFailures: true }));
  }
}
