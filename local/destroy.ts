import { CloudFormationClient, DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import {
  type _Object,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type Connection, clientSettings } from '../adapters/connection.ts';
import { s3Client } from '../adapters/s3.ts';
import { stackOutputs } from '../core/environment.ts';
import { describeStack, outputsOf } from './deploy.ts';

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

/** Removes the stack with everything in it, its jobs' objects included; false where no such stack is. */
export async function destroyStack(options: DestroyOptions): Promise<boolean> {
  const { stackName, connection, onProgress } = options;
  const cloudFormation = new CloudFormationClient(clientSettings(connection));
  const s3 = s3Client(connection);
  try {
    const stack = await describeStack(cloudFormation, stackName);
    if (stack === undefined) return false;
    const bucket = outputsOf(stack)[stackOutputs.bucket];
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
    // The stack leaves its bucket when its removal policy is to retain it.
    if (bucket !== undefined) await attempt(tries, () => removeBucket(s3, bucket, options.signal));
    onProgress?.(`removed the stack ${stackName}`);
    return true;
  } finally {
    s3.destroy();
    cloudFormation.destroy();
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
