import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { EventField, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fanloop } from '../../lib/fanloop.ts';
import { parseRequest } from '../../src/format/request.ts';
import { limits } from '../../src/limits.ts';
import { environmentNames, stackOutputs } from '../../src/runtime/environment.ts';
import { synthesized } from '../support/stack-template.ts';

const lambda = new ServicePrincipal('lambda.amazonaws.com');

describe('two constructs in one stack', () => {
  const template = synthesized((stack) => {
    new Fanloop(stack, 'Jobs', { workers: 20 });
    new Fanloop(new Construct(stack, 'Night'), 'my-jobs', { table: false });
  }, 'Mine');

  it('have outputs of their own, with their names before them', () => {
    const names = Object.values(stackOutputs).filter((name) => name !== stackOutputs.tasks);
    const expected = [
      ...names.map((name) => `Jobs${name}`),
      ...names.filter((name) => name !== stackOutputs.table).map((name) => `Nightmyjobs${name}`),
    ];
    expect(Object.keys(template.findOutputs('*')).sort()).toEqual(expected.sort());
    template.hasOutput('JobsWorkers', { Value: '20' });
    template.hasOutput('NightmyjobsWorkers', { Value: String(limits.workers) });
  });

  it('share no queue, bucket, or function, and count metrics apart', () => {
    template.resourceCountIs('AWS::SQS::Queue', 6);
    template.resourceCountIs('AWS::S3::Bucket', 2);
    template.resourceCountIs('AWS::Lambda::Function', 8);
    for (const name of ['Mine/Jobs', 'Mine/Night/my-jobs']) {
      template.hasResourceProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike({ [environmentNames.name]: name }) },
      });
      template.hasResourceProperties('AWS::CloudWatch::Alarm', { Dimensions: [{ Name: 'Jobs', Value: name }] });
    }
  });
});

describe('props', () => {
  const template = synthesized((stack) => {
    // The library's own class misses its interface only by an optional property under exactOptionalPropertyTypes.
    const vpc = new Vpc(stack, 'Vpc', { maxAzs: 1 }) as IVpc;
    new Fanloop(stack, 'Jobs', {
      memorySize: 2_048,
      timeout: Duration.minutes(10),
      architecture: Architecture.X86_64,
      environment: { STAGE: 'test' },
      logRetention: RetentionDays.ONE_DAY,
      jobExpiration: Duration.days(30),
      encryptionKey: new Key(stack, 'Key'),
      vpc,
    });
  });
  const worker = { Description: 'Runs the items of chunks on one event loop' };

  it('give the worker memory and time, and its queue six times as long', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      ...worker,
      MemorySize: 2_048,
      Timeout: 600,
      Environment: { Variables: Match.objectLike({ [environmentNames.workerMemoryMb]: '2048' }) },
    });
    template.hasResourceProperties('AWS::SQS::Queue', { VisibilityTimeout: 3_600 });
  });

  it('choose the processor of all functions, what their tasks find in the environment, and how long logs are kept', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Architectures: ['x86_64'],
      Environment: { Variables: Match.objectLike({ STAGE: 'test' }) },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 1 });
  });

  it('put the functions that run tasks into the VPC, behind one security group, and no other', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function', {}));
    const inside = functions.filter(({ Properties }) => Properties.VpcConfig !== undefined);
    expect(inside.map(({ Properties }) => Properties.Description).sort()).toEqual([
      worker.Description,
      'Takes a request, and starts a job or runs a small one at once',
    ]);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 1);
  });

  it('remove jobs after their time, and nothing else in the bucket', () => {
    const rule = (Prefix: string) => Match.objectLike({ Prefix, ExpirationInDays: 30, Status: 'Enabled' });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [Match.objectLike({ Prefix: Match.absent() }), rule('jobs/'), rule('tokens/'), rule('running/')],
      },
    });
  });

  it('encrypt bucket, queues, and table by the key, which the functions may use', () => {
    const key = Match.anyValue();
    template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: key });
    template.hasResourceProperties('AWS::DynamoDB::Table', { SSESpecification: { KMSMasterKeyId: key } });
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } },
        ],
      },
    });
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    expect(policies.filter((policy) => JSON.stringify(policy).includes('kms:Decrypt'))).toHaveLength(4);
  });

  it.each([
    [{ timeout: Duration.minutes(4) }, 'expected timeout in seconds to be a whole number from 300 to 900, got 240'],
    [{ jobExpiration: Duration.days(7) }, 'expected jobExpiration in days to be a whole number from 15'],
    [{ memorySize: 128 }, 'expected memorySize to be a whole number from 512 to 10240, got 128'],
    [{ environment: { FANLOOP_BUCKET: 'mine' } }, 'expected environment to leave FANLOOP_BUCKET alone'],
    [{ securityGroups: [] }, 'expected a vpc with vpcSubnets or securityGroups, got none'],
    [{ tasks: 'no/such/folder' }, /expected the folder of the tasks at .*no\/such\/folder, got none/],
  ])('refuse %j in one sentence', (props, message) => {
    expect(() => new Fanloop(new Stack(), 'Jobs', props)).toThrow(message);
  });
});

describe('grants', () => {
  const template = synthesized((stack) => {
    const jobs = new Fanloop(stack, 'Jobs', { table: false });
    new Table(stack, 'Users', { partitionKey: { name: 'id', type: AttributeType.STRING } }).grantReadData(jobs);
    new Secret(stack, 'Key').grantRead(jobs.grantPrincipal);
    jobs.grantSubmit(new Role(stack, 'Api', { assumedBy: lambda }));
    jobs.bucket.grantRead(new Role(stack, 'Analyst', { assumedBy: lambda }));
  }, 'Mine');
  const actionsOf = (prefix: string): readonly string[] =>
    Object.entries(template.findResources('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith(prefix))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
      .flatMap(({ Action }) => Action);

  it('to the construct reach each function that runs tasks, and no other', () => {
    for (const runner of ['JobsFanOut', 'JobsWorker']) {
      expect(actionsOf(runner)).toContain('dynamodb:Query');
      expect(actionsOf(runner)).toContain('secretsmanager:GetSecretValue');
    }
    for (const other of ['JobsTick', 'JobsDeadLetter']) {
      expect(actionsOf(other)).not.toContain('dynamodb:Query');
      expect(actionsOf(other)).not.toContain('secretsmanager:GetSecretValue');
    }
  });

  it('to submit are all that the client needs: the stack by name, the function, the folders, and the tick queue', () => {
    const actions = actionsOf('Api');
    for (const action of ['lambda:InvokeFunction', 'cloudformation:DescribeStacks', 's3:PutObject', 's3:GetObject*'])
      expect(actions).toContain(action);
    expect(actions).toContain('sqs:SendMessage');
    expect(actions.join()).not.toMatch(/dynamodb|secretsmanager|:\*/);
  });

  it('of the bucket are the bucket alone', () => {
    expect(new Set(actionsOf('Analyst').map((action) => action.split(':')[0]))).toEqual(new Set(['s3']));
  });
});

describe('target', () => {
  const rule = (stack: Stack, id: string) => new Rule(stack, id, { schedule: Schedule.rate(Duration.days(1)) });
  const template = synthesized((stack) => {
    const jobs = new Fanloop(stack, 'Jobs', { table: false });
    const options = { concurrency: 50, timeout: Duration.seconds(30), attempts: 5 };
    const nightly = rule(stack, 'Nightly');
    nightly.addTarget(jobs.target({ task: 'http', input: 's3://my-bucket/ids.ndjson', retryAttempts: 3, ...options }));
    nightly.addTarget(jobs.target({ task: 'http', items: [EventField.fromPath('$.detail'), 'https://example.org'] }));
  });
  const [{ Properties }] = Object.values(template.findResources('AWS::Events::Rule')) as [
    { Properties: { Targets: { InputTransformer: { InputTemplate: string }; RetryPolicy?: unknown }[] } },
  ];
  /** The event that the function gets, with each field of the event as some text. */
  const requests = Properties.Targets.map(({ InputTransformer: { InputTemplate: text } }) =>
    parseRequest(
      JSON.parse(text.replaceAll(/"(?:[^"\\]|\\.)*"|<[^>]+>/g, (part) => (part.startsWith('<') ? `"${part}"` : part))),
    ),
  );

  it('sends a request that the fan-out takes', () => {
    expect(requests[0]).toMatchObject({
      task: 'http',
      input: 's3://my-bucket/ids.ndjson',
      options: { concurrency: 50, timeoutMs: 30_000, attempts: 5 },
    });
    expect(requests[1]?.items).toHaveLength(2);
    expect(Properties.Targets[0]?.RetryPolicy).toEqual({ MaximumRetryAttempts: 3 });
  });

  it('names the event in the token, so that an event delivered twice is one job, and each target has its own', () => {
    const tokens = requests.map(({ clientToken }) => clientToken);
    for (const token of tokens) expect(token).toMatch(/^<[^>]*id[^>]*>-[0-9a-f]{8}-Target\d$/);
    expect(new Set(tokens).size).toBe(2);
  });

  it.each([
    [{ task: 'http' }, 'to have either input or items'],
    [{ task: 'http', input: 's3://b/k', items: [] }, 'to have either input or items'],
    [{ task: 'htttp', input: 's3://b/k' }, 'to be one of cpu, database, file, http, say-after, got "htttp"'],
  ])('refuses %j', (props, message) => {
    expect(() => new Fanloop(new Stack(), 'Jobs').target(props)).toThrow(message);
  });
});

describe('metrics', () => {
  it('are sums of what the functions of the construct count', () => {
    const stack = new Stack(new App(), 'Mine');
    const jobs = new Fanloop(stack, 'Jobs', { table: false });
    const metric = { namespace: 'Fanloop', dimensions: { Jobs: 'Mine/Jobs' }, statistic: 'Sum' };
    expect(jobs.metricItemsFailed()).toMatchObject({ ...metric, metricName: 'ItemsFailed' });
    expect(jobs.metricItemsSucceeded({ period: Duration.hours(1) })).toMatchObject({
      ...metric,
      metricName: 'ItemsSucceeded',
      period: Duration.hours(1),
    });
    expect(jobs.stalledAlarm.metric).toMatchObject({ ...metric, metricName: 'JobsStalled' });
    expect(jobs.deadLetterAlarm.metric).toMatchObject({ ...metric, metricName: 'DeadLetters' });
  });
});

describe('bundles', () => {
  let temporary: string;
  const before = process.env['TMPDIR'];
  beforeAll(() => {
    temporary = mkdtempSync(path.join(tmpdir(), 'fanloop-construct-test-'));
    process.env['TMPDIR'] = temporary;
  });
  afterAll(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(temporary, { recursive: true });
  });
  const left = () => readdirSync(temporary).filter((name) => name.startsWith('fanloop'));

  it('are removed when they have been staged, and when they could not be made', () => {
    new Fanloop(new Stack(), 'Jobs');
    expect(() => new Fanloop(new Stack(), 'Jobs', { tasks: 'no/such/folder' })).toThrow();
    expect(left()).toEqual([]);
  });

  it('stay where the assets are not staged', () => {
    const app = new App({ context: { 'aws:cdk:disable-asset-staging': true } });
    new Fanloop(new Stack(app, 'Mine'), 'Jobs');
    expect(left()).toHaveLength(1);
    expect(existsSync(path.join(temporary, left()[0] ?? ''))).toBe(true);
  });
});
