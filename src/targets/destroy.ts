import { CloudFormationClient, DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import {
  type _Object,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type Connection, clientSettings } from '../aws/connection.ts';
import { s3Client } from '../aws/s3.ts';
import { dynamoClient } from '../connectors/dynamodb/client.ts';
import { stackOutputs } from '../runtime/environment.ts';
import { describeStack, outputsOf } from './deploy.ts';
import { requireOwnStack } from './find-construct.ts';
import { defaultLogGroup, functionNames } from './function-logs.ts';

/** Options of {@link destroyStack}. */
export interface DestroyOptions {
  readonly stackName: string;
  /** Where and as whom; absent settings are found as the AWS CLI finds them. */
  readonly connection: Connection;
  readonly signal?: AbortSignal;
  /** Told each line of progress. */
  readonly onProgress?: (line: string) => void;
}

/** An event source mapping takes minutes to go on AWS; an hour means that something hangs. */
const deleteSeconds = 3_600;
/** A function that still runs may write to the emptied bucket once more. */
const tries = 3;

/** Removes the stack with everything in it, its jobs' objects and its table included; false where no such stack is. */
export async function destroyStack(options: DestroyOptions): Promise<boolean> {
  const { stackName, connection, onProgress } = options;
  const cloudFormation = new CloudFormationClient(clientSettings(connection));
  const s3 = s3Client(connection);
  try {
    const stack = await describeStack(cloudFormation, stackName);
    if (stack === undefined) return false;
    requireOwnStack(stack, 'destroy');
    const outputs = outputsOf(stack);
    const { [stackOutputs.bucket]: bucket, [stackOutputs.table]: table } = outputs;
    await attempt(tries, async () => {
      if (bucket !== undefined) onProgress?.(`removed ${await emptyBucket(s3, bucket, options.signal)} objects`);
      await cloudFormation.send(new DeleteStackCommand({ StackName: stackName }));
      const wait = { client: cloudFormation, maxWaitTime: deleteSeconds, minDelay: 1, maxDelay: 5 };
      await waitUntilStackDeleteComplete(
        { ...wait, ...(options.signal && { abortSignal: options.signal }) },
        // The id finds a stack that is gone; its name does not.
        { StackName: stack.StackId ?? stackName },
      );
    });
    // The stack leaves its bucket and its table when its removal policy is to retain them.
    if (bucket !== undefined) await attempt(tries, () => removeBucket(s3, bucket, options.signal));
    if (table !== undefined) await attempt(tries, () => removeTable(connection, table));
    // On AWS the functions write to the stack's own groups, which went with it; LocalStack, which has an endpoint, made others.
    if (connection.endpoint !== undefined) await removeDefaultLogGroups(connection, outputs);
    onProgress?.(`removed the stack ${stackName}`);
    return true;
  } finally {
    s3.destroy();
    cloudFormation.destroy();
  }
}

async function removeDefaultLogGroups(
  connection: Connection,
  outputs: Readonly<Record<string, string>>,
): Promise<void> {
  const logs = new CloudWatchLogsClient(clientSettings(connection));
  try {
    for (const name of functionNames(outputs)) {
      await logs.send(new DeleteLogGroupCommand({ logGroupName: defaultLogGroup(name) })).catch((error: unknown) => {
        // A function that was never invoked has none.
        if (!(error instanceof ResourceNotFoundException)) throw error;
      });
    }
  } finally {
    logs.destroy();
  }
}

async function removeBucket(s3: S3Client, bucket: string, signal?: AbortSignal): Promise<void> {
  try {
    await emptyBucket(s3, bucket, signal);
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function removeTable(connection: Connection, table: string): Promise<void> {
  const client = dynamoClient(connection);
  try {
    await client.send(new DeleteTableCommand({ TableName: table }));
  } catch (error) {
    // A stack that retains nothing has removed it.
    if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
  } finally {
    client.destroy();
  }
}

/** Deletes all objects, a page of 1,000 at a time; answers with their number. */
async function emptyBucket(s3: S3Client, bucket: string, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  for (;;) {
    signal?.throwIfAborted();
    let page: readonly _Object[];
    try {
      page = (await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? [];
    } catch (error) {
      if (isAbsent(error)) return removed;
      throw error;
    }
    if (page.length === 0) return removed;
    const { Errors } = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: page.map(({ Key }) => ({ Key })) } }),
    );
    const [refused] = Errors ?? [];
    if (refused !== undefined)
      throw new Error(`expected to delete s3://${bucket}/${refused.Key}, got ${refused.Code}: ${refused.Message}`);
    removed += page.length;
  }
}

const isAbsent = (error: unknown): boolean => error instanceof Error && error.name === 'NoSuchBucket';

async function attempt(times: number, step: () => Promise<void>): Promise<void> {
  for (let left = times - 1; ; left--) {
    try {
      return await step();
    } catch (error) {
      if (left === 0 || (error instanceof Error && error.name === 'AbortError')) throw error;
    }
  }
}
