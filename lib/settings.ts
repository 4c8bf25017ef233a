import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { limits } from '../src/limits.ts';
import { environmentNames } from '../src/runtime/environment.ts';
import { requireRange, type StackSettings, settingRanges } from '../src/runtime/stack-settings.ts';
import type { FanloopProps } from './fanloop-props.ts';

/** The props that a deployment's settings stand for; buckets and tables are found by name in the scope. */
export function propsOf(scope: Construct, settings: StackSettings): FanloopProps {
  const { workers, maxReceiveCount, allowPrivateNetwork, table, tasks } = settings;
  const { leaseSeconds, removalPolicy, inputBuckets = [], otherTables = [] } = settings;
  return {
    ...(workers !== undefined && { workers }),
    ...(maxReceiveCount !== undefined && { maxReceiveCount }),
    ...(allowPrivateNetwork !== undefined && { allowPrivateNetwork }),
    ...(table !== undefined && { table }),
    ...(tasks !== undefined && { tasks }),
    ...(leaseSeconds !== undefined && { lease: Duration.seconds(leaseSeconds) }),
    ...(removalPolicy === 'destroy' && { removalPolicy: RemovalPolicy.DESTROY }),
    inputBuckets: inputBuckets.map((name) => Bucket.fromBucketName(scope, `Input-${name}`, name)),
    tables: otherTables.map((name) => Table.fromTableName(scope, `Table-${name}`, name)),
  };
}

/** Ten years: a larger number is a slip of the pen. */
const maxExpirationDays = 3_650;

/** Refuses props that no stack can have. @throws Error in one sentence that names the first of them */
export function checkProps(props: FanloopProps): void {
  const { workers, lease, maxReceiveCount, timeout, memorySize, environment, jobExpiration } = props;
  const { workerTimeoutSeconds, maxWorkerTimeoutSeconds, minWorkerMemoryMb, maxWorkerMemoryMb } = limits;
  if (workers !== undefined) requireRange('workers', workers, settingRanges.workers);
  if (lease !== undefined) requireRange('lease in seconds', lease.toSeconds(), settingRanges.leaseSeconds);
  if (maxReceiveCount !== undefined) requireRange('maxReceiveCount', maxReceiveCount, settingRanges.maxReceiveCount);
  if (timeout !== undefined)
    requireRange('timeout in seconds', timeout.toSeconds(), [workerTimeoutSeconds, maxWorkerTimeoutSeconds]);
  if (memorySize !== undefined) requireRange('memorySize', memorySize, [minWorkerMemoryMb, maxWorkerMemoryMb]);
  if (jobExpiration !== undefined)
    requireRange('jobExpiration in days', jobExpiration.toDays(), [limits.retentionDays + 1, maxExpirationDays]);
  const own: readonly string[] = Object.values(environmentNames);
  const taken = Object.keys(environment ?? {}).find((name) => own.includes(name) || name === 'NODE_OPTIONS');
  if (taken !== undefined)
    throw new Error(
      `expected environment to leave ${taken} alone, which the functions need themselves; choose another name`,
    );
}
