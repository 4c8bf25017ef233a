import { environmentNames, stackOutputs } from '../runtime/environment.ts';
import { defaultStackName, type StackSettings } from '../runtime/stack-settings.ts';

/** A CloudFormation template as JSON. */
export interface TemplateJson {
  readonly Resources: Readonly<Record<string, TemplateResourceJson>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface TemplateResourceJson {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** What the embedded cloud can be told of its stack; the rest of a stack's settings is for a deployment. */
export type EmbeddedSettings = Pick<
  StackSettings,
  'stackName' | 'workers' | 'leaseSeconds' | 'maxReceiveCount' | 'allowPrivateNetwork'
>;

/** The default stack without its code: what is shipped, so that nobody needs the CDK to run it on this machine. */
export function withoutCode(template: TemplateJson): TemplateJson {
  return changed(template, {
    function: (resource) => {
      const { Code: _code, ...properties } = resource.Properties ?? {};
      return { ...resource, Properties: properties, Metadata: { 'aws:asset:path': '.' } };
    },
    variables: { [environmentNames.bundleHash]: 'none' },
    outputs: { [stackOutputs.bundleHash]: 'none' },
  });
}

/** The shipped template with settings and code; each setting changes the same values as a synthesis would. */
export function withSettings(template: TemplateJson, settings: EmbeddedSettings, bundleHash: string): TemplateJson {
  const { stackName, workers, leaseSeconds, maxReceiveCount, allowPrivateNetwork } = settings;
  return changed(template, {
    variables: {
      [environmentNames.bundleHash]: bundleHash,
      ...(stackName !== undefined && { [environmentNames.name]: stackName }),
      ...(workers !== undefined && { [environmentNames.workers]: String(workers) }),
      ...(leaseSeconds !== undefined && { [environmentNames.leaseSeconds]: String(leaseSeconds) }),
      ...(allowPrivateNetwork !== undefined && {
        [environmentNames.allowPrivateNetwork]: String(allowPrivateNetwork),
      }),
    },
    outputs: {
      [stackOutputs.bundleHash]: bundleHash,
      ...(workers !== undefined && { [stackOutputs.workers]: String(workers) }),
    },
    ...(stackName !== undefined && { stackName }),
    ...(maxReceiveCount !== undefined && { maxReceiveCount }),
    ...(workers !== undefined && { workers }),
  });
}

interface Changes {
  readonly function?: (resource: TemplateResourceJson) => TemplateResourceJson;
  /** Values of variables, where a function has them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Below it stand the secrets that tasks may read. */
  readonly stackName?: string;
  readonly maxReceiveCount?: number;
  /** Invocations that the worker's mapping makes at once. */
  readonly workers?: number;
}

function changed(template: TemplateJson, changes: Changes): TemplateJson {
  const resources = Object.entries(template.Resources).map(([id, resource]) => [
    id,
    changedResource(id, resource, changes),
  ]);
  const outputs = Object.entries(template.Outputs).map(([name, output]) => {
    const value = changes.outputs[name];
    return [name, value === undefined ? output : { ...output, Value: value }];
  });
  return { ...template, Resources: Object.fromEntries(resources), Outputs: Object.fromEntries(outputs) };
}

function changedResource(id: string, resource: TemplateResourceJson, changes: Changes): TemplateResourceJson {
  const properties = resource.Properties ?? {};
  switch (resource.Type) {
    case 'AWS::Lambda::Function': {
      const variables = Object.entries(inner(inner(properties, 'Environment'), 'Variables')).map(([name, value]) => [
        name,
        changes.variables[name] ?? value,
      ]);
      const Environment = { Variables: Object.fromEntries(variables) };
      // The CDK's own functions, as the one that empties a bucket, have no variable of ours.
      const resulting = { ...resource, Properties: { ...properties, Environment } };
      return changes.function?.(resulting) ?? resulting;
    }
    case 'AWS::IAM::Policy': {
      const { stackName } = changes;
      return stackName === undefined ? resource : { ...resource, Properties: withSecretsOf(stackName, properties) };
    }
    case 'AWS::SQS::Queue': {
      if (changes.maxReceiveCount === undefined || properties['RedrivePolicy'] === undefined) return resource;
      const RedrivePolicy = { ...inner(properties, 'RedrivePolicy'), maxReceiveCount: changes.maxReceiveCount };
      return { ...resource, Properties: { ...properties, RedrivePolicy } };
    }
    case 'AWS::Lambda::EventSourceMapping': {
      if (changes.workers === undefined || !id.startsWith('Worker')) return resource;
      const ScalingConfig = { ...inner(properties, 'ScalingConfig'), MaximumConcurrency: changes.workers };
      return { ...resource, Properties: { ...properties, ScalingConfig } };
    }
    default:
      return resource;
  }
}

/** Policies name the secrets of the stack by its name: `:parameter/fanloop/Fanloop/*`. */
function withSecretsOf(
  stackName: string,
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const named = (_key: string, value: unknown): unknown =>
    typeof value === 'string'
      ? value.replace(`:parameter/fanloop/${defaultStackName}/`, () => `:parameter/fanloop/${stackName}/`)
      : value;
  return JSON.parse(JSON.stringify(properties, named));
}

/** An object within an object of the template; empty where there is none. */
const inner = (whole: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> =>
  (whole[name] ?? {}) as Readonly<Record<string, unknown>>;
