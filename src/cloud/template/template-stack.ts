import { createHash } from 'node:crypto';
import { record, type Template, type TemplateResource } from './template.ts';
import { describeFunctions, type FunctionDescription } from './template-functions.ts';
import { requireKnown } from './template-properties.ts';
import { type Identity, resolve, type Scope } from './template-values.ts';

/** The account that everything here belongs to. */
export const account = { id: '000000000000', region: 'us-east-1', partition: 'aws' } as const;

/** A queue to be made on the endpoint, with SQS's own attribute names. */
export interface QueueDescription {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** An event source mapping from a queue to a function. */
export interface MappingDescription {
  readonly logicalId: string;
  readonly queueArn: string;
  readonly functionName: string;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Invocations at once; AWS makes at most 1,000 where the template says nothing. */
  readonly maximumConcurrency: number;
  readonly reportsBatchItemFailures: boolean;
}

/** A table to be made in the embedded DynamoDB. */
export interface TableDescription {
  readonly name: string;
  readonly arn: string;
  /** Input of DynamoDB's CreateTable. */
  readonly definition: Readonly<Record<string, unknown>>;
}

/** What a template describes, with every reference resolved. */
export interface StackDescription {
  readonly buckets: readonly string[];
  readonly queues: readonly QueueDescription[];
  readonly tables: readonly TableDescription[];
  readonly functions: readonly FunctionDescription[];
  readonly mappings: readonly MappingDescription[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** What the template does not say. */
export interface StackOptions {
  readonly stackName: string;
  /** Address under which the endpoint answers for its queues. */
  readonly endpointUrl: string;
  /** Folder that asset paths are relative to. */
  readonly assetsDir: string;
}

/**
 * Resolves a template. The same template, names, and endpoint give the same description, so that objects outlive the process.
 *
 * @throws Error that names what the embedded cloud does not know.
 */
export function describeStack(template: Template, options: StackOptions): StackDescription {
  requireKnown(template);
  const identities = new Map<string, Identity>();
  const scope: Scope = { parameters: { ...template.parameters, ...pseudoParameters(options) }, resources: identities };
  for (const [logicalId, resource] of template.resources) {
    identities.set(logicalId, identify(logicalId, resource, options));
  }
  const resources = new Map<string, TemplateResource>();
  for (const [logicalId, resource] of template.resources) {
    // A function's code is found by its asset path; the bucket that CDK would upload it to does not exist here.
    const { Code: _code, ...properties } = resource.properties;
    resources.set(logicalId, {
      ...resource,
      properties: record(resolve(properties, scope, logicalId), logicalId),
    });
  }
  const ofType = (type: string): Array<readonly [string, TemplateResource]> =>
    [...resources].filter(([, resource]) => resource.type === type);
  const identity = (logicalId: string): Identity => identities.get(logicalId) ?? { ref: logicalId, attributes: {} };

  return {
    buckets: ofType('AWS::S3::Bucket').map(([logicalId]) => identity(logicalId).ref),
    queues: ofType('AWS::SQS::Queue').map(([logicalId, { properties }]) =>
      describeQueue(identity(logicalId), properties),
    ),
    tables: ofType('AWS::DynamoDB::Table').map(([logicalId, { properties }]) =>
      describeTable(identity(logicalId), properties),
    ),
    functions: describeFunctions(resources, identity, options.assetsDir),
    mappings: ofType('AWS::Lambda::EventSourceMapping').map(([logicalId, { properties }]) =>
      describeMapping(logicalId, properties),
    ),
    outputs: Object.fromEntries(
      Object.entries(template.outputs).map(([name, value]) => [name, String(resolve(value, scope, `Outputs.${name}`))]),
    ),
  };
}

function pseudoParameters({ stackName }: StackOptions): Readonly<Record<string, string>> {
  return {
    'AWS::AccountId': account.id,
    'AWS::Region': account.region,
    'AWS::Partition': account.partition,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${account.region}:${account.id}:stack/${stackName}/embedded`,
  };
}

/** CloudFormation makes a physical name from stack, logical id, and a random suffix; here the suffix is the same each time. */
function identify(logicalId: string, resource: TemplateResource, options: StackOptions): Identity {
  const name = (property: string, length: number): string =>
    physicalName(resource.properties[property], `${options.stackName}-${logicalId}`, length);
  switch (resource.type) {
    case 'AWS::S3::Bucket': {
      const bucket = name('BucketName', 63).toLowerCase();
      return { ref: bucket, attributes: { Arn: `arn:aws:s3:::${bucket}`, DomainName: `${bucket}.s3.amazonaws.com` } };
    }
    case 'AWS::SQS::Queue': {
      const queue = name('QueueName', 80);
      const ref = `${options.endpointUrl}/${account.id}/${queue}`;
      const Arn = `arn:aws:sqs:${account.region}:${account.id}:${queue}`;
      return { ref, attributes: { Arn, QueueName: queue, QueueUrl: ref } };
    }
    case 'AWS::Lambda::Function': {
      const ref = name('FunctionName', 64);
      return { ref, attributes: { Arn: `arn:aws:lambda:${account.region}:${account.id}:function:${ref}` } };
    }
    case 'AWS::DynamoDB::Table': {
      const ref = name('TableName', 255);
      return { ref, attributes: { Arn: `arn:aws:dynamodb:${account.region}:${account.id}:table/${ref}` } };
    }
    case 'AWS::IAM::Role':
      return { ref: logicalId, attributes: { Arn: `arn:aws:iam::${account.id}:role/${logicalId}` } };
    case 'AWS::Logs::LogGroup': {
      const Arn = `arn:aws:logs:${account.region}:${account.id}:log-group:${options.stackName}-${logicalId}:*`;
      return { ref: `${options.stackName}-${logicalId}`, attributes: { Arn } };
    }
    default:
      return { ref: logicalId, attributes: {} };
  }
}

function physicalName(given: unknown, generated: string, length: number): string {
  if (typeof given === 'string') return given;
  const suffix = createHash('sha256').update(generated).digest('hex').slice(0, 8);
  return `${generated.slice(0, length - suffix.length - 1)}-${suffix}`;
}

/** In a template these are numbers and objects, in SQS's API all of them are text. */
function describeQueue(identity: Identity, properties: Readonly<Record<string, unknown>>): QueueDescription {
  const attributes: Record<string, string> = {};
  for (const name of [
    'DelaySeconds',
    'MaximumMessageSize',
    'MessageRetentionPeriod',
    'ReceiveMessageWaitTimeSeconds',
    'RedriveAllowPolicy',
    'RedrivePolicy',
    'VisibilityTimeout',
  ]) {
    const value = properties[name];
    if (value !== undefined) attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  const { Arn = '', QueueName = '' } = identity.attributes;
  return { name: QueueName, url: identity.ref, arn: Arn, attributes };
}

/** CloudFormation writes a table as DynamoDB's CreateTable does; its billing mode is by request, since nothing is billed. */
function describeTable(identity: Identity, properties: Readonly<Record<string, unknown>>): TableDescription {
  const { Arn = '' } = identity.attributes;
  const { AttributeDefinitions, KeySchema } = properties;
  const definition = { TableName: identity.ref, AttributeDefinitions, KeySchema, BillingMode: 'PAY_PER_REQUEST' };
  return { name: identity.ref, arn: Arn, definition };
}

function describeMapping(logicalId: string, properties: Readonly<Record<string, unknown>>): MappingDescription {
  const number = (value: unknown, otherwise: number): number => (value === undefined ? otherwise : Number(value));
  const responseTypes = properties['FunctionResponseTypes'];
  // FunctionName may be a name or an ARN, which ends in the name.
  const functionName = String(properties['FunctionName']).split(':').at(-1) ?? '';
  const scaling = record(properties['ScalingConfig'] ?? {}, `${logicalId}.ScalingConfig`);
  return {
    logicalId,
    functionName,
    queueArn: String(properties['EventSourceArn']),
    enabled: properties['Enabled'] !== false,
    batchSize: number(properties['BatchSize'], 10),
    windowSeconds: number(properties['MaximumBatchingWindowInSeconds'], 0),
    maximumConcurrency: number(scaling['MaximumConcurrency'], 1_000),
    reportsBatchItemFailures: Array.isArray(responseTypes) && responseTypes.includes('ReportBatchItemFailures'),
  };
}
