import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { environmentNames, parseEnvironment, stackOutputs } from '../../src/runtime/environment.ts';
import { stackTemplate } from '../support/stack-template.ts';

const template = stackTemplate();

/** The parts of a synthesized function that these tests read. */
interface FunctionProperties {
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly RecursiveLoop?: string;
  readonly ReservedConcurrentExecutions?: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

const idsOf = (type: string): readonly string[] => Object.keys(template.findResources(type));

function idOf(type: string, prefix: string): string {
  const [id, ...others] = idsOf(type).filter((candidate) => candidate.startsWith(prefix));
  if (id === undefined || others.length > 0) throw new Error(`expected one ${type} with the prefix ${prefix}`);
  return id;
}

function propertiesOf(type: string, id: string) {
  const { Properties } = { ...template.findResources(type)[id] };
  return Properties;
}

const functionOf = (name: string): FunctionProperties =>
  propertiesOf('AWS::Lambda::Function', idOf('AWS::Lambda::Function', name));

const functionNames = ['FanOut', 'Worker', 'Tick', 'DeadLetter'];

describe('bucket', () => {
  it('is private, encrypted, and open to TLS only', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: Match.anyValue(),
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    });
  });

  it('aborts uploads that were broken off after a day', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' })],
      },
    });
  });

  it('outlives the stack, unless the settings say otherwise', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    stackTemplate({ removalPolicy: RemovalPolicy.DESTROY }).hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Delete',
    });
  });
});

describe('queues', () => {
  it.each([
    ['Work', 'Worker'],
    ['Tick', 'Tick'],
    ['DeadLetter', 'DeadLetter'],
  ])('%s hides a message for at least six timeouts of its function', (queue, name) => {
    const id = idOf('AWS::SQS::Queue', `${queue}Queue`);
    expect(propertiesOf('AWS::SQS::Queue', id).VisibilityTimeout).toBeGreaterThanOrEqual(6 * functionOf(name).Timeout);
  });

  it('keep messages for 14 days, encrypted', () => {
    template.resourceCountIs('AWS::SQS::Queue', 3);
    template.allResourcesProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: limits.retentionDays * 86_400,
      SqsManagedSseEnabled: true,
    });
  });

  it('send the dead letters of work and tick to one queue', () => {
    const deadLetterTargetArn = { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'DeadLetterQueue'), 'Arn'] };
    template.resourcePropertiesCountIs(
      'AWS::SQS::Queue',
      { RedrivePolicy: { deadLetterTargetArn, maxReceiveCount: limits.maxReceiveCount } },
      2,
    );
    stackTemplate({ maxReceiveCount: 3 }).resourcePropertiesCountIs(
      'AWS::SQS::Queue',
      { RedrivePolicy: Match.objectLike({ maxReceiveCount: 3 }) },
      2,
    );
  });
});

describe('table', () => {
  it('is billed by request, has two keys of text, and can be restored to any second', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  it('goes with a stack that keeps nothing, and then has no backups', () => {
    stackTemplate({ removalPolicy: RemovalPolicy.DESTROY }).hasResource('AWS::DynamoDB::Table', {
      Properties: { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } },
      DeletionPolicy: 'Delete',
    });
  });

  it('is named to the functions that run items, and to no other', () => {
    const named = functionNames.filter((name) => environmentNames.table in functionOf(name).Environment.Variables);
    expect(named).toEqual(['FanOut', 'Worker']);
  });

  it('is not there where the settings want none', () => {
    const without = stackTemplate({ table: false });
    without.resourceCountIs('AWS::DynamoDB::Table', 0);
    expect(JSON.stringify(without.toJSON())).not.toContain('dynamodb');
    expect(Object.keys(without.findOutputs('*'))).not.toContain(stackOutputs.table);
  });
});

describe('functions', () => {
  it('run bundles on Node 24 and arm64 with source maps', () => {
    template.resourceCountIs('AWS::Lambda::Function', 4);
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: Match.stringLikeRegexp('^(fan-out|worker|tick|dead-letter)\\.handler$'),
      Environment: { Variables: Match.objectLike({ NODE_OPTIONS: '--enable-source-maps' }) },
    });
  });

  it.each([
    ['FanOut', limits.fanOutTimeoutSeconds, limits.fanOutMemoryMb],
    ['Worker', limits.workerTimeoutSeconds, limits.workerMemoryMb],
    ['Tick', limits.tickTimeoutSeconds, limits.tickMemoryMb],
    ['DeadLetter', limits.deadLetterTimeoutSeconds, limits.deadLetterMemoryMb],
  ])('%s has %i s and %i MB', (name, seconds, megabytes) => {
    expect(functionOf(name)).toMatchObject({ Timeout: seconds, MemorySize: megabytes });
  });

  it.each(functionNames)('%s gets an environment that the handlers can read', (name) => {
    const variables = functionOf(name).Environment.Variables;
    const resolved = Object.entries(variables).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : 'a reference',
    ]);
    expect(parseEnvironment(Object.fromEntries(resolved))).toMatchObject({
      workers: limits.workers,
      leaseSeconds: limits.leaseSeconds,
      allowPrivateNetwork: false,
      bundleHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'Fanloop',
      workerMemoryMb: limits.workerMemoryMb,
    });
    expect(variables[environmentNames.workQueueUrl]).toEqual({ Ref: idOf('AWS::SQS::Queue', 'WorkQueue') });
    expect(variables[environmentNames.tickQueueUrl]).toEqual({ Ref: idOf('AWS::SQS::Queue', 'TickQueue') });
    expect(variables[environmentNames.bucket]).toEqual({ Ref: idOf('AWS::S3::Bucket', 'Bucket') });
  });

  it('may loop where their messages come back to them, and only there', () => {
    const loops = functionNames.filter((name) => functionOf(name).RecursiveLoop === 'Allow');
    expect(loops).toEqual(['Worker', 'Tick', 'DeadLetter']);
  });

  it('log in text to groups of their own that forget after two weeks', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 4);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: limits.logRetentionDays });
    template.allResourcesProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogGroup: Match.anyValue(), LogFormat: Match.absent() },
    });
  });

  it('reserve no concurrency, of which a new account has none to spare', () => {
    template.allResourcesProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
  });
});

describe('event source mappings', () => {
  it.each([
    ['Work', 'Worker', 1, limits.workers],
    ['Tick', 'Tick', 1, 2],
    ['DeadLetter', 'DeadLetter', 10, 2],
  ])(
    '%s invokes %s with %i message(s), %i at once, and takes partial failures',
    (queue, name, batchSize, concurrency) => {
      template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        EventSourceArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', `${queue}Queue`), 'Arn'] },
        FunctionName: { Ref: idOf('AWS::Lambda::Function', name) },
        BatchSize: batchSize,
        ScalingConfig: { MaximumConcurrency: concurrency },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
    },
  );

  it('filter nothing, since a filter deletes silently', () => {
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 3);
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', { FilterCriteria: Match.absent() });
  });
});

describe('stack', () => {
  it('names everything that a person or the command line looks for in its outputs', () => {
    const names = Object.values(stackOutputs).filter((name) => name !== stackOutputs.tasks);
    expect(Object.keys(template.findOutputs('*')).sort()).toEqual(names.sort());
  });

  it('uses neither custom resources nor physical names', () => {
    const { Resources: resources } = template.toJSON();
    const types = new Set(Object.values(resources).map((resource) => Object(resource).Type));
    expect([...types].sort()).toEqual([
      'AWS::CloudWatch::Alarm',
      'AWS::DynamoDB::Table',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::Lambda::EventSourceMapping',
      'AWS::Lambda::Function',
      'AWS::Logs::LogGroup',
      'AWS::S3::Bucket',
      'AWS::S3::BucketPolicy',
      'AWS::SQS::Queue',
    ]);
    expect(JSON.stringify(template.toJSON())).not.toMatch(
      /"(BucketName|QueueName|TableName|FunctionName|RoleName|LogGroupName)":"/,
    );
  });

  it('keeps the logical ids of what holds state, so that an update never replaces a bucket, a queue, or a table', () => {
    expect(idsOf('AWS::S3::Bucket')).toEqual(['Bucket83908E77']);
    expect(idsOf('AWS::SQS::Queue')).toEqual(['DeadLetterQueue9F481546', 'WorkQueue94013F35', 'TickQueueFCE24F27']);
    expect(idsOf('AWS::DynamoDB::Table')).toEqual(['TableCD117FA1']);
    const another = stackTemplate({ workers: 50 }, 'Another');
    expect(Object.keys(another.findResources('AWS::DynamoDB::Table'))).toEqual(idsOf('AWS::DynamoDB::Table'));
    expect(Object.keys(another.findResources('AWS::S3::Bucket'))).toEqual(idsOf('AWS::S3::Bucket'));
    expect(Object.keys(another.findResources('AWS::SQS::Queue'))).toEqual(idsOf('AWS::SQS::Queue'));
  });

  it('carries the settings to the functions and the mapping', () => {
    const other = stackTemplate({ workers: 50, lease: Duration.seconds(10), allowPrivateNetwork: true });
    other.allResourcesProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          [environmentNames.workers]: '50',
          [environmentNames.leaseSeconds]: '10',
          [environmentNames.allowPrivateNetwork]: 'true',
        }),
      },
    });
    other.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 50 },
    });
    other.hasOutput(stackOutputs.workers, { Value: '50' });
  });

  it.each([
    [{ workers: 1 }, 'expected workers to be a whole number from 2 to 1000, got 1'],
    [{ workers: 1_001 }, 'expected workers to be a whole number from 2 to 1000, got 1001'],
    [{ lease: Duration.minutes(6) }, 'expected lease in seconds to be a whole number from 1 to 300, got 360'],
    [{ maxReceiveCount: 1 }, 'expected maxReceiveCount to be a whole number from 2 to 1000, got 1'],
  ])('does not synthesize with %j', (props, message) => {
    expect(() => stackTemplate(props)).toThrow(message);
  });
});
