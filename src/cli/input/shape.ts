import { UsageError } from '../../task/errors.ts';
import { compileTemplate, compileValue, type Template } from './template.ts';

/** Options that make items of a source's records. */
export interface ShapeOptions {
  /** JSON with placeholders. @default the record itself is the item */
  readonly map?: string | undefined;
  /** `name: value` each, for every item that does not have the header itself. */
  readonly header?: readonly string[] | undefined;
  /** For every item that has no method itself. */
  readonly method?: string | undefined;
  /** JSON or a text, for every item that has no body itself. */
  readonly body?: string | undefined;
}

/**
 * What makes an item of each record, or undefined where the record is the item.
 *
 * @throws UsageError `InvalidOptions`
 */
export function shapeOf(options: ShapeOptions): Template | undefined {
  const map = options.map === undefined ? undefined : compileTemplate(options.map);
  const rest = request(options);
  if (rest === undefined) return map;
  return (record) => {
    const item = map === undefined ? record : map(record);
    const own = typeof item === 'string' ? { url: item } : item;
    if (typeof own !== 'object' || own === null) return own;
    const { headers, ...fields } = rest(record);
    const theirs = 'headers' in own && typeof own.headers === 'object' ? own.headers : {};
    const all =
      headers === undefined ? {} : { headers: mergeHeaders(headers, theirs as Readonly<Record<string, string>>) };
    return { ...fields, ...own, ...all };
  };
}

interface Request {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: unknown;
}

function request({ header, method, body }: ShapeOptions): ((record: unknown) => Request) | undefined {
  if (header === undefined && method === undefined && body === undefined) return undefined;
  const headers = header?.map((line) => {
    const [, name, value = ''] = /^([^:=\s]+)\s*[:=]\s*(.*)$/s.exec(line) ?? [];
    if (name !== undefined) return [name, compileValue(value, '--header')] as const;
    throw new UsageError('InvalidOptions', `expected --header to be "name: value", got ${JSON.stringify(line)}`);
  });
  const content = body === undefined ? undefined : bodyTemplate(body);
  return (record) => ({
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined
      ? {}
      : { headers: Object.fromEntries(headers.map(([name, value]) => [name, text(value(record))])) }),
    ...(content === undefined ? {} : { body: content(record) }),
  });
}

/** A body that begins as JSON is JSON, with placeholders in its texts; another one is a text. */
function bodyTemplate(body: string): Template {
  return /^\s*[[{"]/.test(body) && !/^\s*\{[\w+.]+(:\w+)?\}\s*$/.test(body)
    ? compileTemplate(body, '--body')
    : compileValue(body, '--body');
}

/** The item's own headers win, whatever the case of their names. */
function mergeHeaders(
  all: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const named = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  return { ...Object.fromEntries(Object.entries(all).filter(([name]) => !named.has(name.toLowerCase()))), ...own };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
