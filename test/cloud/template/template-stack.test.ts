import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../../src/cloud/template/template.ts';
import { describeStack, type StackDescription } from '../../../src/cloud/template/template-stack.ts';
import { limits } from '../../../src/limits.ts';
import { stackOutputs } from '../../../src/runtime/environment.ts';
import { stackTemplate } from '../../support/stack-template.ts';

const options = { stackName: 'Fanloop', endpointUrl: 'http://127.0.0.1:4566', assetsDir: '/assets' };

function describeResources(resources: Readonly<Record<string, unknown>>): StackDescription {
  return describeStack(parseTemplate({ Resources: resources }), options);
}

/** The stack as bin/app.ts synthesizes it, with the path of each function's bundle. */
function describeProject(): StackDescription {
  const template = stackTemplate().toJSON();
  for (const resource of Object.values<Record<string, unknown>>(template['Resources'])) {
    if (resource['Type'] === 'AWS::Lambda::Function') resource['Metadata'] = { 'aws:asset:path': 'asset.1' };
  }
  return describeStack(parseTemplate(template), options);
}

const role = { Type: 'AWS::IAM::Role', Properties: {} };
const lambda = (properties: Readonly<Record<string, unknown>> = {}): unknown => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    ...properties,
  },
  Metadata: { 'aws:asset:path': 'asset.1' },
});

describe("the project's own stack", () => {
  const stack = describeProject();

  it('is described whole: one bucket, three queues, one table, four functions, three mappings', () => {
    expect(stack.buckets).toHaveLength(1);
    expect(stack.queues).toHaveLength(3);
    expect(stack.tables).toHaveLength(1);
    expect(stack.functions).toHaveLength(4);
    expect(stack.mappings).toHaveLength(3);
  });

  it('has each output that the command line reads', () => {
    const names = Object.values(stackOutputs).filter((name) => name !== stackOutputs.tasks);
    expect(Object.keys(stack.outputs).sort()).toEqual(names.sort());
    expect(stack.outputs[stackOutputs.workQueueUrl]).toMatch(/^http:\/\/127\.0\.0\.1:4566\/000000000000\/Fanloop-/);
    expect(stack.outputs[stackOutputs.bucket]).toBe(stack.buckets[0]);
  });

  it("gives the worker its memory, timeout, environment, and its role's statements", () => {
    const worker = stack.functions.find(({ name }) => name === stack.outputs[stackOutputs.workerFunction]);
    expect(worker).toMatchObject({
      handler: 'worker.handler',
      memoryMb: limits.workerMemoryMb,
      timeoutMs: limits.workerTimeoutSeconds * 1_000,
      recursiveLoop: 'Allow',
      environment: { FANLOOP_BUCKET: stack.buckets[0], NODE_OPTIONS: '--enable-source-maps' },
    });
    expect(JSON.stringify(worker?.statements)).toContain(`arn:aws:s3:::${stack.buckets[0]}`);
  });

  it('hands queue attributes to SQS as text', () => {
    const work = stack.queues.find(({ url }) => url === stack.outputs[stackOutputs.workQueueUrl]);
    expect(work?.attributes).toMatchObject({
      VisibilityTimeout: String(limits.visibilityTimeouts * limits.workerTimeoutSeconds),
    });
    expect(JSON.parse(work?.attributes['RedrivePolicy'] ?? '')).toEqual({
      deadLetterTargetArn: stack.queues.find(({ url }) => url === stack.outputs[stackOutputs.deadLetterQueueUrl])?.arn,
      maxReceiveCount: limits.maxReceiveCount,
    });
  });

  it('hands a table to DynamoDB as CloudFormation has it', () => {
    const name = stack.outputs[stackOutputs.table];
    const [table] = stack.tables;
    expect(table).toMatchObject({ name, arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${name}` });
    expect(table?.definition).toEqual({
      TableName: name,
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    });
    const worker = stack.functions.find((one) => one.name === stack.outputs[stackOutputs.workerFunction]);
    expect(worker?.environment).toMatchObject({ FANLOOP_TABLE: name });
    expect(JSON.stringify(worker?.statements)).toContain(`table/${name}`);
  });

  it('has the same names each time, so that objects are found again', () => {
    expect(describeProject()).toMatchObject({
      buckets: stack.buckets,
      outputs: stack.outputs,
    });
  });
});

describe('a template with something unknown', () => {
  it.each([
    ['a resource type', { Topic: { Type: 'AWS::SNS::Topic' } }, 'Topic: it knows no resource type AWS::SNS::Topic'],
    [
      'a property of a function',
      { Role: role, Fn: lambda({ FileSystemConfigs: [] }) },
      'Fn (AWS::Lambda::Function): it knows no property FileSystemConfigs',
    ],
    [
      'a property of a queue',
      { Q: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } } },
      'Q (AWS::SQS::Queue): it knows no property FifoQueue',
    ],
    [
      'a property of a table',
      { T: { Type: 'AWS::DynamoDB::Table', Properties: { TimeToLiveSpecification: {} } } },
      'T (AWS::DynamoDB::Table): it knows no property TimeToLiveSpecification',
    ],
    [
      'a property of a mapping',
      { M: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FilterCriteria: {} } } },
      'M (AWS::Lambda::EventSourceMapping): it knows no property FilterCriteria',
    ],
    ['a condition', { Q: { Type: 'AWS::SQS::Queue', Condition: 'Sometimes' } }, 'got one on Q'],
    [
      'a runtime',
      { Role: role, Fn: lambda({ Runtime: 'python3.14' }) },
      'expected Fn to run on Node.js, got python3.14',
    ],
    [
      'a managed policy',
      {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
        },
        Fn: lambda(),
      },
      'Role: it knows no managed policy',
    ],
  ])('is stopped by the name of %s', (_name, resources, problem) => {
    expect(() => describeResources(resources)).toThrow(problem);
  });
});

describe('defaults', () => {
  it("are Lambda's own where the template says nothing", () => {
    const { functions, mappings } = describeResources({
      Role: role,
      Fn: lambda(),
      Q: { Type: 'AWS::SQS::Queue' },
      M: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: { 'Fn::GetAtt': ['Q', 'Arn'] }, FunctionName: { Ref: 'Fn' } },
      },
    });
    expect(functions[0]).toMatchObject({
      memoryMb: 128,
      timeoutMs: 3_000,
      recursiveLoop: 'Terminate',
      eventRetries: 2,
      codeDir: '/assets/asset.1',
    });
    expect(mappings[0]).toMatchObject({
      enabled: true,
      batchSize: 10,
      windowSeconds: 0,
      maximumConcurrency: 1_000,
      reportsBatchItemFailures: false,
    });
  });
});
