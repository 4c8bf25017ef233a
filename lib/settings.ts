import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { limits } from '../src/limits.ts';

/** What a deployment chooses of the stack, by the names of CDK context (`cdk deploy --context workers=10`). */
export interface DeploymentSettings {
  /** Name of the CloudFormation stack. @default Fanloop */
  readonly stackName: string;
  /** Workers that run at once, 2 to 1,000. @default 5 */
  readonly workers: number;
  /** A worker's hold on a message, renewed while it lives, 1 to 300 s. Context: `leaseSeconds`. @default 60 seconds */
  readonly lease: Duration;
  /** Deliveries before a message is a dead letter, 2 to 1,000. @default 5 */
  readonly maxReceiveCount: number;
  /** Whether tasks may call addresses of private networks. @default false */
  readonly allowPrivateNetwork: boolean;
  /** Buckets beside the stack's own that jobs may read their input from: a list, or names with commas between. @default none */
  readonly inputBuckets: readonly string[];
  /** Whether the stack has a table of its own for the task `database`. @default true */
  readonly table: boolean;
  /** Tables beside the stack's own that tasks may use: a list, or names with commas between. @default none */
  readonly otherTables: readonly string[];
  /** Folders of tasks beside `lambdas/tasks`, from the project's root: a list, or paths with commas between. @default none */
  readonly taskFolders: readonly string[];
  /** Whether the jobs outlive the stack: `retain` or `destroy`. @default retain */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Reads the settings from CDK context: numbers and flags come as text from the command line, and as JSON from files.
 *
 * @throws Error with one sentence that names the setting, what was expected, and what was got.
 */
export function parseSettings(context: (name: string) => unknown): DeploymentSettings {
  return {
    stackName: text(
      context,
      'stackName',
      'Fanloop',
      /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
      'letters, digits, and dashes, a letter first, at most 128',
    ),
    workers: count(context, 'workers', limits.workers, [limits.minWorkers, limits.maxWorkers]),
    lease: Duration.seconds(count(context, 'leaseSeconds', limits.leaseSeconds, [1, limits.workerTimeoutSeconds])),
    maxReceiveCount: count(context, 'maxReceiveCount', limits.maxReceiveCount, maxReceiveCounts),
    allowPrivateNetwork: flag(context, 'allowPrivateNetwork'),
    inputBuckets: bucketNames(context('inputBuckets')),
    table: flag(context, 'table', true),
    otherTables: tableNames(context('otherTables')),
    taskFolders: list(context('taskFolders')).map((folder) => {
      if (typeof folder === 'string' && folder !== '') return folder;
      throw refusal('taskFolders', 'paths of folders', folder);
    }),
    removalPolicy: removalPolicy(context('removalPolicy')),
  };
}

/** One delivery leaves no second try after a throttled invocation; SQS takes at most 1,000. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
export const maxReceiveCounts = [2, 1_000] as const;

function text(
  context: (name: string) => unknown,
  name: string,
  otherwise: string,
  pattern: RegExp,
  shape: string,
): string {
  const value = context(name) ?? otherwise;
  if (typeof value !== 'string' || !pattern.test(value)) throw refusal(name, shape, value);
  return value;
}

function count(
  context: (name: string) => unknown,
  name: string,
  otherwise: number,
  range: readonly [number, number],
): number {
  const given = context(name) ?? otherwise;
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < range[0] || value > range[1]) {
    throw refusal(name, `a whole number from ${range[0]} to ${range[1]}`, given);
  }
  return value;
}

function flag(context: (name: string) => unknown, name: string, otherwise = false): boolean {
  const value = context(name) ?? otherwise;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refusal(name, 'true or false', value);
}

function removalPolicy(value: unknown): RemovalPolicy {
  if (value === undefined || value === 'retain') return RemovalPolicy.RETAIN;
  if (value === 'destroy') return RemovalPolicy.DESTROY;
  throw refusal('removalPolicy', 'retain or destroy', value);
}

function bucketNames(value: unknown): readonly string[] {
  return list(value).map((name) => {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if (typeof name === 'string' && /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) return name;
    throw refusal('inputBuckets', 'names of S3 buckets', name);
  });
}

function tableNames(value: unknown): readonly string[] {
  return list(value).map((name) => {
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    if (typeof name === 'string' && /^[a-zA-Z0-9_.-]{3,255}$/.test(name)) return name;
    throw refusal('otherTables', 'names of DynamoDB tables', name);
  });
}

/** A list comes as one from files, and as text with commas from the command line. */
function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return value.split(',').filter(Boolean);
  return Array.isArray(value) ? value : [value];
}

function refusal(name: string, expected: string, got: unknown): Error {
  return new Error(`expected the setting ${name} to be ${expected}, got ${JSON.stringify(got)}`);
}
