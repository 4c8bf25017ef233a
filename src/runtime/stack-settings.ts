import { limits } from '../limits.ts';

/** What a deployment chooses of the default stack, by the names of CDK context (`cdk deploy --context workers=10`). */
export interface StackSettings {
  /** Name of the CloudFormation stack. @default Fanloop */
  readonly stackName?: string;
  /** Workers that run at once, 2 to 1,000. @default 5 */
  readonly workers?: number;
  /** A worker's hold on a message in seconds, renewed while it lives, 1 to 300. @default 60 */
  readonly leaseSeconds?: number;
  /** Deliveries of a message before it is a dead letter, 2 to 1,000. @default 5 */
  readonly maxReceiveCount?: number;
  /** Whether tasks may call addresses of private networks. @default false */
  readonly allowPrivateNetwork?: boolean;
  /** Names of buckets, beside the stack's own, that jobs may read their input from. @default none */
  readonly inputBuckets?: readonly string[];
  /** Whether the stack has a table of its own for the task `database`. @default true */
  readonly table?: boolean;
  /** Names of tables, beside the stack's own, that the task `database` may use. @default none */
  readonly otherTables?: readonly string[];
  /** Folder of own tasks, absolute or from where the app runs. @default only the tasks that come along */
  readonly tasks?: string;
  /** Whether the jobs and the table outlive the stack. @default retain */
  readonly removalPolicy?: 'retain' | 'destroy';
}

/** The stack's name unless the settings choose another. */
export const defaultStackName = 'Fanloop';

/** What the default stack says of itself in CloudFormation. */
export const stackDescription = 'Fanloop: runs one async task over many items';

type Range = readonly [least: number, most: number];

/** What numbers a stack takes. */
export const settingRanges = {
  workers: [limits.minWorkers, limits.maxWorkers],
  leaseSeconds: [1, limits.workerTimeoutSeconds],
  /** One delivery leaves no second try after a throttled invocation; SQS takes at most 1,000. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
  maxReceiveCount: [2, 1_000],
} as const satisfies Readonly<Record<string, Range>>;

type Read = (value: unknown, name: string) => unknown;

/** One reader for each setting; each takes what the command line of the CDK gives, which is text, and the JSON of files. */
const readers: Readonly<Record<keyof StackSettings, Read>> = {
  stackName: (value, name) => {
    if (typeof value === 'string' && /^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(value)) return value;
    throw refusal(name, 'letters, digits, and dashes, a letter first, at most 128', value);
  },
  workers: count(settingRanges.workers),
  leaseSeconds: count(settingRanges.leaseSeconds),
  maxReceiveCount: count(settingRanges.maxReceiveCount),
  allowPrivateNetwork: flag,
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  inputBuckets: names(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'names of S3 buckets'),
  table: flag,
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  otherTables: names(/^[a-zA-Z0-9_.-]{3,255}$/, 'names of DynamoDB tables'),
  tasks: (value, name) => {
    if (typeof value === 'string' && value !== '') return value;
    throw refusal(name, 'the path of a folder', value);
  },
  removalPolicy: (value, name) => {
    if (value === 'retain' || value === 'destroy') return value;
    throw refusal(name, 'retain or destroy', value);
  },
};

/** Reads the settings that the context has. @throws Error with one sentence that names the setting, what was expected, and what was got */
export function parseSettings(context: (name: string) => unknown): StackSettings {
  const read = Object.entries(readers).map(([name, reader]) => {
    const value = context(name);
    return value === undefined || value === null ? undefined : ([name, reader(value, name)] as const);
  });
  // Each reader gives its setting's type.
  return Object.fromEntries(read.filter((entry) => entry !== undefined)) as StackSettings;
}

/** Refuses a number that is out of its range. @throws Error in one sentence */
export function requireRange(name: string, value: number, [least, most]: Range): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new Error(`expected ${name} to be a whole number from ${least} to ${most}, got ${value}`);
}

function count([least, most]: Range): Read {
  return (given, name) => {
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw refusal(name, `a whole number from ${least} to ${most}`, given);
  };
}

function flag(value: unknown, name: string): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refusal(name, 'true or false', value);
}

/** A list comes as one from files, and as text with commas from the command line. */
function names(pattern: RegExp, expected: string): Read {
  return (value, name) => {
    const list: readonly unknown[] = typeof value === 'string' ? value.split(',').filter(Boolean) : [value].flat();
    for (const one of list) if (typeof one !== 'string' || !pattern.test(one)) throw refusal(name, expected, one);
    return list;
  };
}

function refusal(name: string, expected: string, got: unknown): Error {
  return new Error(`expected the setting ${name} to be ${expected}, got ${JSON.stringify(got)}`);
}
