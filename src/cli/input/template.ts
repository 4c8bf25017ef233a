import { UsageError } from '../../task/errors.ts';

/** Makes the item that a task gets from a source's record. @throws TemplateProblem when the record lacks what the template names */
export type Template = (record: unknown) => unknown;

/** Why a record does not fit a template, as the end of a message that names the record. */
export class TemplateProblem extends Error {}

/**
 * Compiles the JSON of `--map`. In its texts `{name}` stands for a field of the record, `{a.b}` for a field within a field,
 * and `{item}` for a record that is no object. A text that is one placeholder alone becomes the field's value with its type;
 * `{n:number}`, `{n:boolean}`, and `{n:json}` read it from a text, as cells of a table are. In a text that begins with
 * http:// or https:// a value is percent-encoded, so that it stays within its segment; `{+name}` puts it in as it is (RFC 6570).
 * `{{` and `}}` are braces.
 *
 * @throws UsageError `InvalidOptions` when it is no JSON or a placeholder is not closed
 */
export function compileTemplate(json: string, option = '--map'): Template {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UsageError(
      'InvalidOptions',
      `expected ${option} to be JSON, as '{"url":"https://…/{id}"}', got ${excerpt(json)}`,
      {
        cause,
      },
    );
  }
  return compileValue(value, option);
}

/** As {@link compileTemplate}, from a value or a plain text. */
export function compileValue(value: unknown, option: string): Template {
  if (typeof value === 'string') return compileText(value, option);
  if (Array.isArray(value)) {
    const elements = value.map((element) => compileValue(element, option));
    return (record) => elements.map((element) => element(record));
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => [name, compileValue(field, option)] as const);
    return (record) => Object.fromEntries(fields.map(([name, field]) => [name, field(record)]));
  }
  return () => value;
}

interface Placeholder {
  readonly path: string;
  readonly isRaw: boolean;
  readonly type: 'number' | 'boolean' | 'json' | undefined;
}

function compileText(text: string, option: string): Template {
  const parts = partsOf(text, option);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return (record) => typed(only, record);
  const isUrl = /^https?:\/\//i.test(text);
  return (record) => parts.map((part) => (typeof part === 'string' ? part : inText(part, record, isUrl))).join('');
}

/** Splits a text into what stands as it is and its placeholders. */
function partsOf(text: string, option: string): ReadonlyArray<string | Placeholder> {
  const parts: Array<string | Placeholder> = [];
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if ((char === '{' || char === '}') && text[i + 1] === char) {
      plain += char;
      i++;
    } else if (char === '{') {
      const end = text.indexOf('}', i);
      if (end === -1)
        throw new UsageError(
          'InvalidOptions',
          `${option}: expected "}" behind ${excerpt(text.slice(i))}; a brace itself is written {{`,
        );
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push(placeholder(text.slice(i + 1, end), option));
      i = end;
    } else if (char === '}') {
      throw new UsageError(
        'InvalidOptions',
        `${option}: expected "{" before "}" in ${excerpt(text)}; a brace itself is written }}`,
      );
    } else plain += char;
  }
  if (plain !== '' || parts.length === 0) parts.push(plain);
  return parts;
}

function placeholder(text: string, option: string): Placeholder {
  const [, plus, path = '', type] = /^(\+?)(.+?)(?::(number|boolean|json))?$/s.exec(text.trim()) ?? [];
  if (path === '')
    throw new UsageError(
      'InvalidOptions',
      `${option}: expected the name of a field between braces, as {id}, got {${text}}`,
    );
  return { path, isRaw: plus === '+', type: type as Placeholder['type'] };
}

function typed({ path, type }: Placeholder, record: unknown): unknown {
  const value = look(record, path);
  if (type === undefined) return value;
  const text = typeof value === 'string' ? value.trim() : value;
  if (type === 'number') {
    const number =
      typeof text === 'number' ? text : typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
    if (Number.isFinite(number)) return number;
  } else if (type === 'boolean') {
    if (typeof text === 'boolean') return text;
    if (typeof text === 'string' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  } else {
    if (typeof text !== 'string') return text;
    try {
      return JSON.parse(text);
    } catch {
      // The sentence below says it.
    }
  }
  throw new TemplateProblem(
    `expected {${path}} to be ${type === 'json' ? 'JSON' : `a ${type}`}, got ${excerpt(value)}`,
  );
}

function inText(part: Placeholder, record: unknown, isUrl: boolean): string {
  const value = typed(part, record);
  if (typeof value === 'object' && value !== null && part.type !== 'json')
    throw new TemplateProblem(`expected {${part.path}} to be a text or a number within a text, got ${excerpt(value)}`);
  const text =
    typeof value === 'string'
      ? value
      : value === null
        ? ''
        : String(typeof value === 'object' ? JSON.stringify(value) : value);
  if (!isUrl) return text;
  // An address that ends early is another address: without the id, that of the whole collection.
  if (text === '') throw new TemplateProblem(`expected {${part.path}} to have a value for the URL, got none`);
  if (part.isRaw) return text;
  if (text === '.' || text === '..')
    throw new TemplateProblem(`expected {${part.path}} to be a part of a path, got "${text}"`);
  return encodeURIComponent(text.toWellFormed());
}

/** The value of a field: by its whole name first, since a column may have dots in it. */
function look(record: unknown, path: string): unknown {
  const direct = own(record, path);
  if (direct !== undefined) return direct;
  if (path === 'item' && !isObject(record)) return record;
  const steps = path.split('.');
  let value: unknown = record;
  for (const step of steps) value = own(value, step);
  if (value !== undefined) return value;
  const names = isObject(record) ? Object.keys(record) : [];
  const has = names.length === 0 ? `${excerpt(record)}; {item} is the whole of it` : names.slice(0, 20).join(', ');
  throw new TemplateProblem(`expected a field "${path}", got ${has}`);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
