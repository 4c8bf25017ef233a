/** What a template's references lead to. */
export interface Scope {
  /** Values of the template's parameters and of the pseudo parameters, such as `AWS::Region`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What `Ref` and `Fn::GetAtt` answer for each resource, by logical id. */
  readonly resources: ReadonlyMap<string, Identity>;
}

/** A resource as others refer to it. */
export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const noValue = Symbol('AWS::NoValue');
const pseudoNoValue = 'AWS::NoValue';

/**
 * Resolves the references and functions of a template's value: Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::Select, Fn::Split.
 * `AWS::NoValue` removes the property or element that it stands for.
 *
 * @throws Error that names a function or reference which is not known; `path` says where it stands.
 */
export function resolve(value: unknown, scope: Scope, path: string): unknown {
  const resolved = walk(value, scope, path);
  return resolved === noValue ? undefined : resolved;
}

function walk(value: unknown, scope: Scope, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => walk(item, scope, `${path}[${index}]`)).filter((item) => item !== noValue);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return call(first[0], first[1], scope, path);
  }
  const object: Record<string, unknown> = {};
  for (const [key, item] of entries) {
    const resolved = walk(item, scope, `${path}.${key}`);
    if (resolved !== noValue) object[key] = resolved;
  }
  return object;
}

function call(name: string, argument: unknown, scope: Scope, path: string): unknown {
  switch (name) {
    case 'Ref':
      return argument === pseudoNoValue ? noValue : reference(String(argument), scope, path);
    case 'Fn::GetAtt': {
      const [logicalId, ...attribute] =
        typeof argument === 'string' ? argument.split('.') : list(argument, path).map(String);
      return attributeOf(logicalId ?? '', attribute.join('.'), scope, path);
    }
    case 'Fn::Join': {
      const [separator, items] = list(argument, path);
      return list(walk(items, scope, path), path)
        .map((item) => text(item, path))
        .join(String(separator));
    }
    case 'Fn::Split': {
      const [separator, source] = list(argument, path);
      return text(walk(source, scope, path), path).split(String(separator));
    }
    case 'Fn::Select': {
      const [index, items] = list(argument, path);
      const selected = list(walk(items, scope, path), path)[Number(index)];
      if (selected === undefined) throw new Error(`expected an element ${String(index)} at ${path}, got none`);
      return selected;
    }
    case 'Fn::Sub':
      return substitute(argument, scope, path);
    default:
      throw new Error(`expected a function that the embedded cloud knows at ${path}, got ${name}`);
  }
}

function substitute(argument: unknown, scope: Scope, path: string): string {
  const [pattern, variables] = typeof argument === 'string' ? [argument, {}] : list(argument, path);
  const own = new Map(Object.entries(variables ?? {}));
  return text(pattern, path).replaceAll(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    if (own.has(name)) return text(walk(own.get(name), scope, path), path);
    const dot = name.indexOf('.');
    if (dot < 0) return text(reference(name, scope, path), path);
    return attributeOf(name.slice(0, dot), name.slice(dot + 1), scope, path);
  });
}

function reference(name: string, scope: Scope, path: string): unknown {
  const resource = scope.resources.get(name);
  if (resource !== undefined) return resource.ref;
  const parameter = scope.parameters[name];
  if (parameter === undefined) {
    throw new Error(`expected a resource or a parameter with a value at ${path}, got a reference to ${name}`);
  }
  return parameter;
}

function attributeOf(logicalId: string, attribute: string, scope: Scope, path: string): string {
  const value = scope.resources.get(logicalId)?.attributes[attribute];
  if (value === undefined) {
    throw new Error(
      `expected an attribute that the embedded cloud knows at ${path}, got Fn::GetAtt ${logicalId}.${attribute}`,
    );
  }
  return value;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`expected a list at ${path}, got ${JSON.stringify(value)}`);
  return value;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new Error(`expected text at ${path}, got ${JSON.stringify(value)}`);
  }
  return String(value);
}
