/** Causes below this are not looked at; real chains have three or four links. */
const maxLinks = 12;

/** What a message says of further errors of an AggregateError at most. */
const maxParts = 3;

/** A thrown thing and what caused it, from the outside in: by `cause`, the members of an AggregateError, and what SDKs hide under other names. */
export function linksOf(error: unknown): readonly object[] {
  const links: object[] = [];
  const ahead: unknown[] = [error];
  for (let next = ahead.shift(); links.length < maxLinks; next = ahead.shift()) {
    if (isObject(next) && !links.includes(next)) {
      links.push(next);
      ahead.push(field(next, 'cause'), field(next, 'originalError'), field(next, 'lastError'), field(next, 'reason'));
      const members = field(next, 'errors');
      if (Array.isArray(members)) ahead.push(...members.slice(0, maxParts));
    }
    if (ahead.length === 0) break;
  }
  return links;
}

/** A property, or undefined where reading it throws. */
export function field(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  try {
    return Reflect.get(value, name);
  } catch {
    return undefined;
  }
}

/** A property that is a text. */
export function textField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** What a thrown thing says, in words: its message with those of its causes, or the thing itself where it has none. */
export function messageOf(error: unknown): string {
  if (!isObject(error)) return `the task threw ${nameValue(error)}`;
  const own = ownMessage(error);
  const isError = isErrorLike(error);
  if (own === undefined && !isError) return `the task threw ${inWords(error)}`;
  const name = own ?? textField(error, 'name') ?? 'an error without a message';
  const parts = [isError ? name : withFields(name, error)];
  for (const link of linksOf(error).slice(1)) {
    const message = ownMessage(link) ?? textField(link, 'code');
    if (message !== undefined && !parts.some((part) => part.includes(message))) parts.push(message);
  }
  return parts.join(': ');
}

/** Whether a thing is an error, of this or another realm. */
export function isErrorLike(value: unknown): boolean {
  return value instanceof Error || textField(value, 'stack') !== undefined;
}

/** Some APIs put their error into a body: `{error: {message}}`, `{error: "…"}`. */
function ownMessage(error: object): string | undefined {
  return textField(error, 'message') ?? textField(error, 'error') ?? textField(field(error, 'error'), 'message');
}

/** Fields of a thrown object that its row has anyway, or that are no words. */
const knownFields: ReadonlySet<string> = new Set(
  'message code name status statusCode retryable headers response cause'.split(' '),
);

/** The message of a thrown object, and what else it says. */
function withFields(message: string, error: object): string {
  const others = Object.entries(error).flatMap(([name, value]): [string, unknown][] => {
    if (knownFields.has(name) || value === message) return [];
    if (name !== 'error' || !isObject(value)) return [[name, value]];
    const inner = Object.entries(value).filter(([key, text]) => !knownFields.has(key) && text !== message);
    return inner.length === 0 ? [] : [[name, Object.fromEntries(inner)]];
  });
  const json = others.length === 0 ? undefined : jsonOf(Object.fromEntries(others));
  return json === undefined ? message : `${message}; ${json}`;
}

/** JSON for a reader: things within themselves, errors, and BigInts in words. Undefined where it says nothing. */
function jsonOf(value: object): string | undefined {
  const open: unknown[] = [];
  try {
    const json = JSON.stringify(value, function written(this: unknown, _key: string, element: unknown) {
      if (typeof element === 'bigint') return String(element);
      if (typeof element !== 'object' || element === null) return element;
      while (open.length > 0 && open.at(-1) !== this) open.pop();
      if (open.includes(element)) return '[circular]';
      if (element instanceof Error) return String(element);
      open.push(element);
      return element;
    });
    return json === '{}' ? undefined : json;
  } catch {
    return undefined;
  }
}

function nameValue(value: unknown): string {
  if (typeof value === 'string') return `the text "${value}"`;
  if (typeof value === 'bigint') return `${value}n`;
  return String(value);
}

function inWords(value: object): string {
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  const json = jsonOf(value);
  if (json !== undefined) return json;
  const kind = textField(field(value, 'constructor'), 'name');
  return kind === undefined || kind === 'Object' ? 'an object without a message' : `an object of the class ${kind}`;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
