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
  const parts = [own ?? (isErrorLike(error) ? (textField(error, 'name') ?? 'an error without a message') : undefined)];
  if (parts[0] === undefined) return `the task threw ${inWords(error)}`;
  for (const link of linksOf(error).slice(1)) {
    const message = ownMessage(link) ?? textField(link, 'code');
    if (message !== undefined && !parts.some((part) => part?.includes(message))) parts.push(message);
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

function nameValue(value: unknown): string {
  if (typeof value === 'string') return `the text "${value}"`;
  if (typeof value === 'bigint') return `${value}n`;
  return String(value);
}

function inWords(value: object): string {
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  try {
    const json = JSON.stringify(value);
    if (json !== undefined && json !== '{}') return json;
  } catch {
    // Its kind says more than nothing.
  }
  const kind = textField(field(value, 'constructor'), 'name');
  return kind === undefined || kind === 'Object' ? 'an object without a message' : `an object of the class ${kind}`;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
