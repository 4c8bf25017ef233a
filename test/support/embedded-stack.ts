import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StackSource } from '../../src/cloud/host/cloud-owner.ts';

/** A function of a stack made by hand. */
export interface HandMadeFunction {
  /** Source of `index.mjs`. */
  readonly code: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Beside what its mappings need. */
  readonly statements?: readonly unknown[];
}

/** A stack made by hand: functions, queues, and mappings by logical id. */
export interface HandMadeStack {
  readonly functions: Readonly<Record<string, HandMadeFunction>>;
  readonly queues?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Queues that every function may read. @default all */
  readonly readable?: readonly string[];
  readonly mappings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The function of which one process can do the work of several. */
  readonly packed?: string;
}

/** A folder of a test that takes itself away. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fanloop-test-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Writes bundles and a template as the CDK would; each output is `Ref` of the resource with that name. */
export async function writeStack(folder: string, stack: HandMadeStack): Promise<StackSource> {
  const resources: Record<string, unknown> = {
    Jobs: { Type: 'AWS::S3::Bucket', Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true } } },
    CDKMetadata: {
      Type: 'AWS::CDK::Metadata',
      Properties: { Analytics: 'v2:none' },
      Condition: 'CDKMetadataAvailable',
    },
  };
  const queueGrants = (stack.readable ?? Object.keys(stack.queues ?? {})).map((id) => ({
    Effect: 'Allow',
    Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    Resource: { 'Fn::GetAtt': [id, 'Arn'] },
  }));
  for (const [id, properties] of Object.entries(stack.queues ?? {})) {
    resources[id] = { Type: 'AWS::SQS::Queue', Properties: properties };
  }
  for (const [id, { code, properties, statements }] of Object.entries(stack.functions)) {
    await mkdir(path.join(folder, `asset.${id}`), { recursive: true });
    await writeFile(path.join(folder, `asset.${id}`, 'index.mjs'), code);
    resources[`${id}Role`] = {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {},
        ManagedPolicyArns: [
          {
            'Fn::Join': [
              '',
              ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
            ],
          },
        ],
      },
    };
    resources[`${id}Policy`] = {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: id,
        PolicyDocument: { Version: '2012-10-17', Statement: [...queueGrants, ...(statements ?? [])] },
        Roles: [{ Ref: `${id}Role` }],
      },
    };
    resources[id] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's Fn::Sub is written so.
        Code: { S3Bucket: { 'Fn::Sub': 'cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}' }, S3Key: `${id}.zip` },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Role: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
        ...properties,
      },
      Metadata: { 'aws:asset:path': `asset.${id}` },
    };
  }
  for (const [id, properties] of Object.entries(stack.mappings ?? {})) {
    resources[id] = { Type: 'AWS::Lambda::EventSourceMapping', Properties: properties };
  }
  const named = ['Jobs', ...Object.keys(stack.queues ?? {}), ...Object.keys(stack.functions)];
  const templatePath = path.join(folder, 'template.json');
  await writeFile(
    templatePath,
    JSON.stringify({
      Parameters: {
        BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      },
      Conditions: { CDKMetadataAvailable: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] } },
      Rules: { CheckBootstrapVersion: {} },
      Resources: resources,
      Outputs: Object.fromEntries(named.map((id) => [id, { Value: { Ref: id } }])),
    }),
  );
  const { packed } = stack;
  return { templatePath, outDir: folder, stackName: 'HandMade', ...(packed !== undefined && { packed }) };
}

/** A mapping from a queue to a function, with batch size 1 unless the properties say otherwise. */
export function mapping(
  queueId: string,
  functionId: string,
  properties: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    EventSourceArn: { 'Fn::GetAtt': [queueId, 'Arn'] },
    FunctionName: { Ref: functionId },
    BatchSize: 1,
    ...properties,
  };
}
