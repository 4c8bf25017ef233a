import { Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { FanloopProps } from './fanloop-props.ts';
import type { JobParts } from './job-parts.ts';

/** Below it a bucket has the jobs' folders. */
const jobFolders = 'jobs/*';
const runningMarkers = 'running/*';

/** Lets each function do what its part of a job needs, and no more. */
export function grantFunctions(
  jobs: JobParts & IGrantable,
  { inputBuckets = [], tables = [], name }: FanloopProps & { readonly name: string },
): void {
  const { bucket, fanOutFunction: fanOut, workerFunction: worker, tickFunction: tick, deadLetterFunction: dead } = jobs;
  for (const reader of [fanOut, worker, tick]) {
    // Input may be anywhere in the bucket; listing makes an absent key a 404, where S3 would answer 403.
    bucket.grantRead(reader);
    for (const input of inputBuckets) input.grantRead(reader);
  }
  bucket.grantRead(dead, jobFolders);
  for (const writer of [fanOut, worker, tick, dead]) bucket.grantPut(writer, jobFolders);
  bucket.grantPut(fanOut, 'tokens/*');
  // The markers of unfinished jobs: made by the fan-out, taken away by whoever writes the summary.
  bucket.grantPut(fanOut, runningMarkers);
  for (const ender of [fanOut, tick]) bucket.grantDelete(ender, runningMarkers);
  // A dead chunk is sent again.
  for (const sender of [fanOut, worker, tick, dead]) jobs.workQueue.grantSendMessages(sender);
  // A worker whose job has something to decide asks for its next turn.
  for (const sender of [fanOut, worker, tick, dead]) jobs.tickQueue.grantSendMessages(sender);
  // Tasks read and write by key in batches, and do nothing else with a table.
  const byKey = ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem'];
  jobs.table?.grant(jobs, ...byKey);
  // The key of a table that was not made here has to be asked for.
  for (const table of tables) table.grant(jobs, ...byKey, 'dynamodb:DescribeTable');
  // The secrets of its tasks, and of no other stack's: parameters below its own name.
  const secrets = Stack.of(jobs.bucket).formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: `fanloop/${name}/*`,
  });
  Grant.addToPrincipal({ grantee: jobs, actions: ['ssm:GetParameters'], resourceArns: [secrets] });
}

/** Lets somebody do what the client does: find the stack, start jobs, follow and cancel them, and read their results. */
export function grantSubmit(jobs: JobParts, grantee: IGrantable): Grant {
  const stack = Stack.of(jobs.bucket);
  return (
    jobs.fanOutFunction
      .grantInvoke(grantee)
      .combine(jobs.bucket.grantRead(grantee, jobFolders))
      .combine(jobs.bucket.grantPut(grantee, jobFolders))
      // A client marks a job before it asks for it, and takes the marker away when it was refused.
      .combine(jobs.bucket.grantRead(grantee, runningMarkers))
      .combine(jobs.bucket.grantPut(grantee, runningMarkers))
      .combine(jobs.bucket.grantDelete(grantee, runningMarkers))
      .combine(jobs.tickQueue.grantSendMessages(grantee))
      .combine(
        Grant.addToPrincipal({
          grantee,
          actions: ['cloudformation:DescribeStacks'],
          resourceArns: [
            stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${stack.stackName}/*` }),
          ],
        }),
      )
  );
}
