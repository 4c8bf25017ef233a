import path from 'node:path';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { projectRoot } from '../src/bundle/project.ts';
import { outputPrefix, stackOutputs } from '../src/runtime/environment.ts';
import type { JobParts } from './job-parts.ts';

/** What finds a construct in its stack: its id, below other constructs with theirs before it; empty for `Default`. */
export function nameInStack(construct: Construct): string {
  const above = Stack.of(construct).node.scopes.length;
  const ids = construct.node.scopes.slice(above).map(({ node }) => node.id);
  // The CDK's own logical ids leave out this one too.
  return ids.filter((id) => id !== 'Default').join('/');
}

/** The outputs by which the command line and the client find a construct. */
export function jobOutputs(
  jobs: Construct & JobParts,
  {
    workers,
    bundleHash,
    tasks,
  }: { readonly workers: number; readonly bundleHash: string; readonly tasks: string | undefined },
): void {
  const prefix = outputPrefix(nameInStack(jobs));
  const scope = new Construct(jobs, 'Outputs');
  const values: Readonly<Record<keyof typeof stackOutputs, string | undefined>> = {
    bucket: jobs.bucket.bucketName,
    workQueueUrl: jobs.workQueue.queueUrl,
    tickQueueUrl: jobs.tickQueue.queueUrl,
    deadLetterQueueUrl: jobs.deadLetterQueue.queueUrl,
    fanOutFunction: jobs.fanOutFunction.functionName,
    workerFunction: jobs.workerFunction.functionName,
    tickFunction: jobs.tickFunction.functionName,
    deadLetterFunction: jobs.deadLetterFunction.functionName,
    workers: String(workers),
    bundleHash,
    tasks: tasks && path.relative(projectRoot(process.cwd()), path.resolve(tasks)).replaceAll(path.sep, '/'),
    table: jobs.table?.tableName,
  };
  for (const [key, name] of Object.entries(stackOutputs)) {
    const value = new Map(Object.entries(values)).get(key);
    if (value !== undefined) new CfnOutput(scope, name, { value }).overrideLogicalId(`${prefix}${name}`);
  }
}
