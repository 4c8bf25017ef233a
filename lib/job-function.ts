import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  type Architecture,
  Code,
  Function as LambdaFunction,
  RecursiveLoop,
  Runtime,
  RuntimeFamily,
} from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { functionNodeOptions } from '../src/runtime/environment.ts';

/** Options of {@link JobFunction}. */
export interface JobFunctionProps {
  /** One sentence, shown by the Lambda console. */
  readonly description: string;
  /** Folder of the bundle. */
  readonly code: string;
  /** File and export in the bundle, as in `worker.handler`. */
  readonly handler: string;
  readonly architecture: Architecture;
  readonly timeout: Duration;
  /** Memory in MB; CPU comes in proportion. */
  readonly memorySize: number;
  readonly logRetention: RetentionDays;
  readonly environment: Readonly<Record<string, string>>;
  /** Where the function's network interfaces are. @default in no VPC */
  readonly network?: {
    readonly vpc: IVpc;
    readonly vpcSubnets?: SubnetSelection;
    readonly securityGroups: ISecurityGroup[];
  };
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

/** A library from before Node 24 has no constant for it. */
const node24 = new Runtime('nodejs24.x', RuntimeFamily.NODEJS, { supportsInlineCode: true });

/** One bundled function on Node 24 with a log group of its own. */
export class JobFunction extends LambdaFunction {
  constructor(
    scope: Construct,
    id: string,
    { code, environment, logRetention, network, loops, ...props }: JobFunctionProps,
  ) {
    super(scope, id, {
      ...props,
      ...network,
      runtime: node24,
      code: Code.fromAsset(code),
      environment: { ...environment, ...functionNodeOptions },
      // Lambda's JSON format would wrap the JSON lines that the handlers write; the text format leaves them as they are.
      logGroup: new LogGroup(scope, `${id}Logs`, { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
      ...(loops === true && { recursiveLoop: RecursiveLoop.ALLOW }),
    });
  }

  /** Invokes the function with the queue's messages; those that it reports as failed stay in the queue. */
  consume(queue: IQueue, options: ConsumeOptions): void {
    this.addEventSource(new SqsEventSource(queue, { ...options, reportBatchItemFailures: true }));
  }
}
