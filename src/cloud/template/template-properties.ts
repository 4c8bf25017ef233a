import type { Template } from './template.ts';

/** Which properties of a resource type mean something here, and which may be there without a meaning on one machine. */
interface KnownProperties {
  readonly honoured: readonly string[];
  /** Encryption, tags, and descriptions change nothing that a function could notice. */
  readonly harmless: readonly string[];
}

const tags = 'Tags';

const known: Readonly<Record<string, KnownProperties | 'harmless'>> = {
  'AWS::Lambda::Function': {
    honoured: [
      'Code',
      'Environment',
      'FunctionName',
      'Handler',
      'LoggingConfig',
      'MemorySize',
      'RecursiveLoop',
      'ReservedConcurrentExecutions',
      'Role',
      'Runtime',
      'Timeout',
    ],
    harmless: ['Architectures', 'Description', 'PackageType', 'RuntimeManagementConfig', 'TracingConfig', tags],
  },
  'AWS::Lambda::EventSourceMapping': {
    honoured: [
      'BatchSize',
      'Enabled',
      'EventSourceArn',
      'FunctionName',
      'FunctionResponseTypes',
      'MaximumBatchingWindowInSeconds',
      'ScalingConfig',
    ],
    harmless: ['MetricsConfig', tags],
  },
  'AWS::Lambda::EventInvokeConfig': {
    honoured: ['FunctionName', 'MaximumEventAgeInSeconds', 'MaximumRetryAttempts', 'Qualifier'],
    harmless: [],
  },
  'AWS::SQS::Queue': {
    honoured: [
      'DelaySeconds',
      'MaximumMessageSize',
      'MessageRetentionPeriod',
      'QueueName',
      'ReceiveMessageWaitTimeSeconds',
      'RedriveAllowPolicy',
      'RedrivePolicy',
      'VisibilityTimeout',
    ],
    harmless: ['KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId', 'SqsManagedSseEnabled', tags],
  },
  'AWS::S3::Bucket': {
    honoured: ['BucketName'],
    harmless: [
      'BucketEncryption',
      'LifecycleConfiguration',
      'MetricsConfigurations',
      'OwnershipControls',
      'PublicAccessBlockConfiguration',
      tags,
    ],
  },
  'AWS::DynamoDB::Table': {
    honoured: ['AttributeDefinitions', 'BillingMode', 'KeySchema', 'TableName'],
    harmless: [
      'ContributorInsightsSpecification',
      'DeletionProtectionEnabled',
      // Nothing is throttled here.
      'OnDemandThroughput',
      'PointInTimeRecoverySpecification',
      'SSESpecification',
      'TableClass',
      tags,
    ],
  },
  'AWS::IAM::Role': {
    honoured: ['ManagedPolicyArns', 'Policies'],
    harmless: ['AssumeRolePolicyDocument', 'Description', 'MaxSessionDuration', 'Path', 'RoleName', tags],
  },
  'AWS::IAM::Policy': { honoured: ['PolicyDocument', 'Roles'], harmless: ['PolicyName'] },
  // One machine, one person: who else may use a queue or a bucket, and whether by TLS, has no meaning here.
  'AWS::S3::BucketPolicy': 'harmless',
  'AWS::SQS::QueuePolicy': 'harmless',
  // Logs are files of the state folder, kept until somebody removes it.
  'AWS::Logs::LogGroup': 'harmless',
  // Nobody is called when an alarm rings here.
  'AWS::CloudWatch::Alarm': 'harmless',
  'AWS::CloudWatch::Dashboard': 'harmless',
};

/**
 * Checks that each resource and property has a meaning here or needs none, so that nothing of the stack is ignored in silence.
 *
 * @throws Error that names the logical id and the type or property which is not known.
 */
export function requireKnown(template: Template): void {
  for (const [logicalId, { type, properties }] of template.resources) {
    const entry = known[type];
    if (entry === undefined) {
      throw new Error(`the embedded cloud cannot run ${logicalId}: it knows no resource type ${type}`);
    }
    if (entry === 'harmless') continue;
    for (const name of Object.keys(properties)) {
      if (entry.honoured.includes(name) || entry.harmless.includes(name)) continue;
      throw new Error(`the embedded cloud cannot run ${logicalId} (${type}): it knows no property ${name}`);
    }
  }
}
