import { readFile } from 'node:fs/promises';

/** One resource as CloudFormation's template writes it, before any reference is resolved. */
export interface TemplateResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A synthesized CloudFormation template, read but not resolved. */
export interface Template {
  /** Default values of the template's parameters. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Resources by logical id. */
  readonly resources: ReadonlyMap<string, TemplateResource>;
  /** Unresolved values of the outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Reads a template from a file. @throws Error when it is no template that the embedded cloud can run. */
export async function readTemplate(path: string): Promise<Template> {
  return parseTemplate(JSON.parse(await readFile(path, 'utf8')));
}

/**
 * Checks the outer form of a template. Rules and the conditions of CDK's own metadata are left out: they ask about the
 * account and the region, which are fixed here.
 *
 * @throws Error that names the part which is not understood.
 */
export function parseTemplate(document: unknown): Template {
  const root = record(document, 'the template');
  const resources = new Map<string, TemplateResource>();
  for (const [logicalId, value] of Object.entries(record(root['Resources'], 'Resources'))) {
    const resource = record(value, logicalId);
    const type = String(resource['Type']);
    if (type === 'AWS::CDK::Metadata') continue;
    if (resource['Condition'] !== undefined) {
      throw new Error(
        `expected resources without a condition, got one on ${logicalId} (${type}): the embedded cloud knows none`,
      );
    }
    resources.set(logicalId, {
      type,
      properties: record(resource['Properties'] ?? {}, `${logicalId}.Properties`),
      metadata: record(resource['Metadata'] ?? {}, `${logicalId}.Metadata`),
    });
  }
  const parameters: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(record(root['Parameters'] ?? {}, 'Parameters'))) {
    parameters[name] = record(parameter, `the parameter ${name}`)['Default'];
  }
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(record(root['Outputs'] ?? {}, 'Outputs'))) {
    outputs[name] = record(output, `the output ${name}`)['Value'];
  }
  return { parameters, resources, outputs };
}

/** Requires a JSON object. @throws Error that names what was looked at. */
export function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`expected ${name} to be an object, got ${JSON.stringify(value) ?? 'nothing'}`);
  }
  // An object that came out of JSON has string keys and unknown values.
  return value as Record<string, unknown>;
}
