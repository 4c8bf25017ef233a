import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { clientSettings } from '../../src/aws/connection.ts';
import { s3Client } from '../../src/aws/s3.ts';
import { sqsClient } from '../../src/aws/work-queue.ts';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { readAccount } from '../../src/targets/account.ts';
import { type Deployment, deployStack } from '../../src/targets/deploy.ts';
import { destroyStack } from '../../src/targets/destroy.ts';
import '../support/localstack.ts';

const connection = inject('localStack');
const settings = { stackName: 'FanloopBeside', workers: 2, table: false };
const notOfEachStack: readonly string[] = [stackOutputs.workers, stackOutputs.table, stackOutputs.tasks];
const first = connection.outputs;
let beside: Deployment;

beforeAll(async () => {
  beside = await deployStack({ settings, connection });
});
afterAll(async () => {
  await destroyStack({ stackName: settings.stackName, connection });
});

/** A small job by direct invocation; answers with the rows' values. */
async function sayOn(outputs: Readonly<Record<string, string>>, message: string): Promise<unknown> {
  const client = new LambdaClient(clientSettings(connection));
  const request = { task: 'say-after', items: [{ delayMs: 1, message }] };
  const { Payload } = await client.send(
    new InvokeCommand({ FunctionName: outputs[stackOutputs.fanOutFunction], Payload: JSON.stringify(request) }),
  );
  client.destroy();
  const { rows }: { rows: readonly { value: unknown }[] } = JSON.parse(new TextDecoder().decode(Payload));
  return rows.map(({ value }) => value);
}

describe('the account', () => {
  it('is shown with its region and the executions that it allows', async () => {
    expect(await readAccount(connection)).toMatchObject({
      id: '000000000000',
      region: connection.region,
      concurrentExecutions: expect.any(Number),
    });
  });
});

describe('a deployment', () => {
  it('stands beside another stack, and shares nothing with it', async () => {
    for (const name of Object.values(stackOutputs).filter((output) => !notOfEachStack.includes(output))) {
      expect(beside.outputs[name], name).toBeTruthy();
      expect(beside.outputs[name], name).not.toBe(first[name]);
    }
    expect(await Promise.all([sayOn(first, 'one'), sayOn(beside.outputs, 'two')])).toEqual([['one'], ['two']]);
  });

  it('changes nothing when it is done again', async () => {
    const again = await deployStack({ settings, connection });
    expect(again).toEqual({ stackName: settings.stackName, changed: false, outputs: beside.outputs });
  });

  it('updates in place what its settings change, and keeps bucket and queues', async () => {
    const updated = await deployStack({ settings: { ...settings, workers: 4 }, connection });
    expect(updated.changed).toBe(true);
    expect(updated.outputs).toEqual({ ...beside.outputs, [stackOutputs.workers]: '4' });
  });

  it('leaves nothing when it is destroyed, though it held objects and was to retain its bucket', async () => {
    const lambda = new LambdaClient(clientSettings(connection));
    const s3 = s3Client(connection);
    const sqs = sqsClient(connection);
    const cloudFormation = new CloudFormationClient(clientSettings(connection));
    await sayOn(beside.outputs, 'an object');
    const { StackResourceSummaries } = await cloudFormation.send(
      new ListStackResourcesCommand({ StackName: settings.stackName }),
    );
    const queues = StackResourceSummaries?.filter(({ ResourceType }) => ResourceType === 'AWS::SQS::Queue') ?? [];
    expect(queues).toHaveLength(3);

    expect(await destroyStack({ stackName: settings.stackName, connection })).toBe(true);

    const bucket = beside.outputs[stackOutputs.bucket];
    await expect(s3.send(new HeadBucketCommand({ Bucket: bucket }))).rejects.toMatchObject({ name: 'NotFound' });
    for (const { PhysicalResourceId } of queues) {
      const QueueName = PhysicalResourceId?.split('/').at(-1);
      await expect(sqs.send(new GetQueueUrlCommand({ QueueName }))).rejects.toMatchObject({
        name: 'QueueDoesNotExist',
      });
    }
    const FunctionName = beside.outputs[stackOutputs.workerFunction];
    await expect(lambda.send(new GetFunctionCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const logs = new CloudWatchLogsClient(clientSettings(connection));
    const { logGroups = [] } = await logs.send(
      new DescribeLogGroupsCommand({ logGroupNamePattern: settings.stackName }),
    );
    expect(logGroups.map(({ logGroupName }) => logGroupName)).toEqual([]);
    expect(await destroyStack({ stackName: settings.stackName, connection })).toBe(false);
    // The stack beside it works on.
    expect(await sayOn(first, 'still here')).toEqual(['still here']);
  });
});
