import type { StandardSchemaV1 } from '@standard-schema/spec';

/** JSON Schema as far as it is shown; what is not understood is shown as JSON. */
interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The shape of a task's item, written like a TypeScript type; undefined when the schema cannot describe itself. */
export function schemaShape(schema: StandardSchemaV1): string | undefined {
  const described = describe(schema['~standard']);
  return isSchema(described) ? shape(described, '') : undefined;
}

/** Asks for JSON Schema by the Standard JSON Schema interface, which not every library has. */
function describe(standard: object): unknown {
  const jsonSchema = 'jsonSchema' in standard ? standard.jsonSchema : undefined;
  if (typeof jsonSchema !== 'object' || jsonSchema === null || !('input' in jsonSchema)) return undefined;
  if (typeof jsonSchema.input !== 'function') return undefined;
  try {
    return jsonSchema.input({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } });
  } catch {
    // A schema may hold parts that JSON Schema cannot say.
    return undefined;
  }
}

function shape(schema: JsonSchema, margin: string): string {
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) {
    const shapes = options.filter(isSchema).map((option) => shape(option, margin));
    return [...new Set(shapes)].join(' | ');
  }
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  if ('const' in schema) return JSON.stringify(schema['const']);
  const { type } = schema;
  if (type === 'object') return objectShape(schema, margin);
  if (type === 'array') {
    const element = isSchema(schema['items']) ? shape(schema['items'], margin) : 'any';
    return element.includes(' ') ? `(${element})[]` : `${element}[]`;
  }
  if (typeof type === 'string') return type + bounds(schema);
  return 'any';
}

function objectShape(schema: JsonSchema, margin: string): string {
  const inner = `${margin}  `;
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const properties = isSchema(schema['properties']) ? Object.entries(schema['properties']) : [];
  if (properties.length === 0) {
    const values = schema['additionalProperties'];
    return isSchema(values) ? `{ [name]: ${shape(values, margin)} }` : '{ … }';
  }
  const lines = properties.map(([name, value]) => {
    const optional = required.includes(name) ? '' : '?';
    return `${inner}${name}${optional}: ${isSchema(value) ? shape(value, inner) + fallback(value) : 'any'}`;
  });
  return `{\n${lines.join('\n')}\n${margin}}`;
}

/** Numbers of JSON Schema that mean "any whole number" to JavaScript say nothing to a person. */
function bounds(schema: JsonSchema): string {
  const { minimum, maximum } = schema;
  const from = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const to = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (from === undefined && to === undefined) return '';
  return to === undefined ? ` from ${from}` : from === undefined ? ` to ${to}` : ` ${from} to ${to}`;
}

function fallback(schema: JsonSchema): string {
  const value = schema['default'];
  const worthSaying = value !== undefined && JSON.stringify(value) !== '{}';
  return worthSaying ? ` = ${JSON.stringify(value)}` : '';
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
