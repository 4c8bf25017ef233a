import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';

/** Options of a `Fanloop`; each has a default. */
export interface FanloopProps {
  /**
   * The folder of the tasks, relative to the working directory: under `cdk` that is the folder of `cdk.json`.
   * The tasks that come along are there as well.
   *
   * @default the folder `tasks` beside the nearest package.json, or the one that it names: `"fanloop": {"tasks": …}`
   */
  readonly tasks?: string;
  /** Workers that run at once, 2 to 1,000. Each awaits up to 100 calls at once, unless task or job say otherwise. @default 5 */
  readonly workers?: number;
  /** Memory of a worker in MB, 512 to 10,240; CPU comes in proportion. @default 1024 */
  readonly memorySize?: number;
  /** The longest invocation of a worker, 5 to 15 minutes; a longer one hands over less often. @default 5 minutes */
  readonly timeout?: Duration;
  /** Processor of the functions. @default Architecture.ARM_64 */
  readonly architecture?: Architecture;
  /** A worker's hold on a message, renewed while it lives, 1 second to 5 minutes. @default 60 seconds */
  readonly lease?: Duration;
  /** Deliveries before a message is a dead letter, 2 to 1,000. @default 5 */
  readonly maxReceiveCount?: number;
  /** Variables that the tasks find in `process.env`. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** The VPC that tasks run in; it needs ways to S3 and SQS. @default in no VPC */
  readonly vpc?: IVpc;
  /** Where in the VPC. @default the private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** Security groups of the tasks in the VPC. @default one is made */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** Whether the task `http` may call addresses of private networks. @default false */
  readonly allowPrivateNetwork?: boolean;
  /** Buckets, beside its own, that jobs may read their input from. @default none */
  readonly inputBuckets?: readonly IBucket[];
  /** Whether there is a table of its own for the task `database`. @default true */
  readonly table?: boolean;
  /** Tables, beside its own, that the task `database` may read and write by key. @default none */
  readonly tables?: readonly ITable[];
  /** Key that encrypts bucket, queues, and table. @default keys of the services */
  readonly encryptionKey?: IKey;
  /** How long what the functions log is kept. @default RetentionDays.TWO_WEEKS */
  readonly logRetention?: RetentionDays;
  /** When jobs are removed, counted from their objects' writing, 15 days or more: no message is older. @default they are kept */
  readonly jobExpiration?: Duration;
  /** What happens to the jobs and the table when the stack is removed. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}
