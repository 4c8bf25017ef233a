import { resolve as resolvePath } from 'node:path';
import { record, type TemplateResource } from './template.ts';
import type { Identity } from './template-values.ts';

/** One function, with everything that the host needs to run it. */
export interface FunctionDescription {
  readonly name: string;
  readonly arn: string;
  /** Folder of the bundle. */
  readonly codeDir: string;
  /** Module and export, as in `index.handler`. */
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What the role allows, as IAM policy statements. */
  readonly statements: readonly unknown[];
  /** What happens when the function keeps invoking itself. */
  readonly recursiveLoop: 'Allow' | 'Terminate';
  /** Executions at once at most; undefined where the template reserves none. */
  readonly reservedConcurrency: number | undefined;
  readonly logGroup: string;
  readonly logFormat: 'Text' | 'JSON';
  /** Least level of the function's own lines, as `WARN`; empty where all are kept. */
  readonly logLevel: string;
  /** Further tries of an event that failed, 0 to 2. */
  readonly eventRetries: number;
  /** An event older than this is dropped. */
  readonly eventMaxAgeSeconds: number;
}

type Resources = ReadonlyMap<string, TemplateResource>;

/** Describes each function of a template whose references are resolved. @throws Error that names what is absent or not known. */
export function describeFunctions(
  resources: Resources,
  identity: (logicalId: string) => Identity,
  assetsDir: string,
): readonly FunctionDescription[] {
  const functions: FunctionDescription[] = [];
  for (const [logicalId, resource] of resources) {
    if (resource.type !== 'AWS::Lambda::Function') continue;
    const { properties } = resource;
    const { ref: name, attributes } = identity(logicalId);
    const assetPath = resource.metadata['aws:asset:path'];
    if (typeof assetPath !== 'string') {
      throw new Error(`expected ${logicalId} to name its bundle in Metadata 'aws:asset:path', got none`);
    }
    const runtime = String(properties['Runtime']);
    if (!runtime.startsWith('nodejs')) throw new Error(`expected ${logicalId} to run on Node.js, got ${runtime}`);
    const logging = loggingOf(properties['LoggingConfig'], logicalId);
    const invoking = eventInvokeConfig(resources, name);
    functions.push({
      name,
      arn: attributes['Arn'] ?? '',
      codeDir: resolvePath(assetsDir, assetPath),
      handler: String(properties['Handler']),
      memoryMb: Number(properties['MemorySize'] ?? 128),
      timeoutMs: Number(properties['Timeout'] ?? 3) * 1_000,
      environment: variables(properties['Environment'], logicalId),
      statements: statementsOf(resources, identity, String(properties['Role'])),
      recursiveLoop: properties['RecursiveLoop'] === 'Allow' ? 'Allow' : 'Terminate',
      reservedConcurrency:
        properties['ReservedConcurrentExecutions'] === undefined
          ? undefined
          : Number(properties['ReservedConcurrentExecutions']),
      logGroup: String(logging['LogGroup'] ?? `/aws/lambda/${name}`),
      logFormat: logging['LogFormat'] === 'JSON' ? 'JSON' : 'Text',
      logLevel: String(logging['ApplicationLogLevel'] ?? ''),
      eventRetries: Number(invoking['MaximumRetryAttempts'] ?? 2),
      eventMaxAgeSeconds: Number(invoking['MaximumEventAgeInSeconds'] ?? 21_600),
    });
  }
  return functions;
}

function variables(environment: unknown, logicalId: string): Readonly<Record<string, string>> {
  const given = record(
    record(environment ?? {}, `${logicalId}.Environment`)['Variables'] ?? {},
    `${logicalId}.Variables`,
  );
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

function loggingOf(config: unknown, logicalId: string): Readonly<Record<string, unknown>> {
  const logging = record(config ?? {}, `${logicalId}.LoggingConfig`);
  for (const name of Object.keys(logging)) {
    if (['ApplicationLogLevel', 'LogFormat', 'LogGroup'].includes(name)) continue;
    throw new Error(`the embedded cloud cannot run ${logicalId}: it knows no property LoggingConfig.${name}`);
  }
  return logging;
}

function eventInvokeConfig(resources: Resources, functionName: string): Readonly<Record<string, unknown>> {
  for (const { type, properties } of resources.values()) {
    if (type === 'AWS::Lambda::EventInvokeConfig' && properties['FunctionName'] === functionName) return properties;
  }
  return {};
}

/** Writing logs needs no check here, since the host writes them; so the policy for it gives nothing else. */
const logOnlyPolicy = 'service-role/AWSLambdaBasicExecutionRole';

function statementsOf(
  resources: Resources,
  identity: (logicalId: string) => Identity,
  roleArn: string,
): readonly unknown[] {
  const statements: unknown[] = [];
  for (const [logicalId, { type, properties }] of resources) {
    if (type === 'AWS::IAM::Role' && identity(logicalId).attributes['Arn'] === roleArn) {
      for (const managed of list(properties['ManagedPolicyArns'])) {
        if (String(managed).endsWith(`:policy/${logOnlyPolicy}`)) continue;
        throw new Error(`the embedded cloud cannot run ${logicalId}: it knows no managed policy ${String(managed)}`);
      }
      for (const policy of list(properties['Policies'])) {
        statements.push(...statementsIn(record(policy, logicalId)['PolicyDocument'], logicalId));
      }
    }
    if (type === 'AWS::IAM::Policy') {
      const arns = list(properties['Roles']).map((role) => identity(String(role)).attributes['Arn']);
      if (arns.includes(roleArn)) statements.push(...statementsIn(properties['PolicyDocument'], logicalId));
    }
  }
  return statements;
}

function statementsIn(policyDocument: unknown, logicalId: string): readonly unknown[] {
  const { Statement: statement } = record(policyDocument, `${logicalId}.PolicyDocument`);
  return Array.isArray(statement) ? statement : [statement];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
