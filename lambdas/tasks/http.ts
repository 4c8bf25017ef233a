import * as z from 'zod';
import type { HttpAnswer } from '../../src/connectors/http/call.ts';
import { type HttpMethod, httpMethods } from '../../src/connectors/http/methods.ts';
import { bodyProblem, readWhole, type WrittenBody, writeBody } from '../../src/connectors/http/request-body.ts';
import { readPlace } from '../../src/connectors/http/url.ts';
import { bodyValue, bodyViews } from '../../src/connectors/http/value.ts';
import { limits } from '../../src/limits.ts';
import { stopOf } from '../../src/task/stop.ts';
import { defineTask, type TaskContext } from '../../src/task/task.ts';

/** Headers of an answer that its row keeps. */
const keptHeaders = ['content-type', 'etag', 'last-modified', 'location', 'link', 'retry-after', 'x-request-id'];

/** Headers that belong to the connection, or follow from the body. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = /^[!#$%&'*+.^_`|~\w-]+$/;

const bodylessMethods: ReadonlySet<HttpMethod> = new Set(['GET', 'HEAD']);

/** Methods that an API may have to be told apart from their own repetition. */
const keyedMethods: ReadonlySet<HttpMethod> = new Set(['POST', 'PATCH']);

const url = z.string('expected a URL').superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function urlProblem(text: string): string | undefined {
  const parsed = readPlace(text);
  if (parsed === null) return `expected a URL, got "${text.slice(0, 80)}"`;
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return `expected an http:// or https:// URL, got ${parsed.protocol}`;
  }
  return parsed.username !== '' || parsed.password !== ''
    ? 'expected no user name or password within the URL; send an authorization header instead'
    : undefined;
}

const status = z
  .int('expected a status from 200 to 599')
  .min(200, 'expected a status from 200')
  .max(599, 'expected a status up to 599');

const headers = z.record(z.string(), z.string('expected a text')).superRefine((record, context) => {
  for (const [name, value] of Object.entries(record)) {
    const problem = headerProblem(name, value);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
  }
});

/** `object` streams a body of any size to S3, into the folder of the job or to the address in `to`. */
const itemViews = [...bodyViews, 'object'] as const;

const request = z
  .strictObject(
    {
      url,
      /** Passes to the row as its key. */
      id: z.union([z.string(), z.number()]).optional(),
      method: z
        .string(`expected one of ${httpMethods.join(', ')}`)
        .toUpperCase()
        .pipe(z.enum(httpMethods, `expected one of ${httpMethods.join(', ')}`))
        .default('GET'),
      headers: headers.default({}),
      body: z.unknown().optional(),
      expect: z
        .preprocess(
          (value) => (Array.isArray(value) || value === undefined ? value : [value]),
          z.array(status).min(1, 'expected a status').optional(),
        )
        .optional(),
      keepHeaders: z
        .union(
          [
            z.literal('*').transform(() => ['*']),
            z.array(z.string().regex(headerName, 'expected a header name').toLowerCase()),
          ],
          'expected a list of header names, or "*" for all',
        )
        .optional(),
      as: z.enum(itemViews, `expected one of ${itemViews.join(', ')}`).default('auto'),
      to: z
        .string('expected s3://bucket/key')
        .regex(/^s3:\/\/[^/]+\/.+$/s, 'expected s3://bucket/key')
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'invalid_type'
          ? 'expected a URL or an object {url, method, headers, body, expect, keepHeaders, as, to}'
          : undefined,
    },
  )
  .refine(({ method, body }) => body === undefined || !bodylessMethods.has(method), {
    path: ['body'],
    error: 'expected none, since GET and HEAD carry no body',
  })
  .superRefine(({ body, headers }, context) => {
    const problem = body === undefined ? undefined : bodyProblem(body, contentTypeOf(headers));
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['body'], message: problem });
  })
  .refine(({ as, to }) => to === undefined || as === 'object', {
    path: ['to'],
    error: 'expected none unless as is "object"',
  });

const item = z.preprocess((given) => (typeof given === 'string' ? { url: given } : given), request);
const { '~standard': standard } = item;

/**
 * The schema of an item. Most items are a URL alone, and what the schema makes of one is known without it: to ask it costs a tenth of
 * what the worker does for a call, and a new process is slow at it.
 */
const input: typeof item = Object.create(item, {
  '~standard': {
    value: {
      ...standard,
      validate: (given: unknown) =>
        typeof given === 'string' && urlProblem(given) === undefined
          ? { value: { url: given, method: 'GET', headers: {}, as: 'auto' } satisfies Item }
          : standard.validate(given),
    },
  },
});

/** Calls an HTTP API once for each item. */
export const task = defineTask({
  description: 'Calls a URL and returns status, headers, and body',
  input,
  example: { url: 'https://example.com/items', method: 'POST', body: { name: 'Ada' }, expect: 201 },
  maxValueBytes: limits.maxValueBytes,
  run: async (item, context) => {
    connector ??= await import('../../src/connectors/http/call.ts');
    const { signal, secretHeaders } = context;
    const { url, method } = item;
    const secret = secretHeaders === undefined ? {} : { secretHeaders };
    const call =
      secretHeaders === undefined && isPlain(item)
        ? { url, method, headers: plainHeaders }
        : { url, method, ...(await written(item, context)), ...secret };
    const stop = stopOf(context);
    const options = item.expect === undefined ? { signal, stop } : { signal, stop, expect: item.expect };
    if (item.as === 'object') {
      const receive = (body: AsyncIterable<Buffer>): Promise<unknown> => store(body, { item, context });
      const { received, ...head } = await connector.httpStream(call, { ...options, receive });
      return { ...kept(head, item), body: received };
    }
    const answer = await connector.httpCall(call, options);
    return Object.assign(kept(answer, item), bodyValue(answer, item.as));
  },
});

/** Undici takes a while to load, and the command line reads this file for its schema alone. */
let connector: typeof import('../../src/connectors/http/call.ts') | undefined;

type Item = z.output<typeof request>;

interface Kept {
  readonly status: number;
  /** `set-cookie` is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Where the answer came from, when it moved. */
  readonly url?: string;
}

function kept({ status, headers, setCookie, url }: Omit<HttpAnswer, 'body'>, item: Item): Kept {
  const found: Record<string, string | readonly string[]> = {};
  for (const name of wantedHeaders(item, headers)) {
    const value = name === 'set-cookie' ? setCookie : headers[name];
    if (value !== undefined) found[name] = value;
  }
  const hasMoved = url !== item.url && withoutHash(url) !== withoutHash(URL.parse(item.url)?.href ?? '');
  return hasMoved ? { status, url, headers: found } : { status, headers: found };
}

const withoutHash = (url: string): string => url.replace(/#.*$/s, '');

function wantedHeaders({ keepHeaders, method }: Item, headers: HttpAnswer['headers']): readonly string[] {
  if (keepHeaders?.[0] === '*') return Object.keys(headers);
  if (keepHeaders !== undefined) return [...keptHeaders, ...keepHeaders];
  return method === 'HEAD' ? [...keptHeaders, 'content-length'] : keptHeaders;
}

/** Streams a body to an object, and answers where it is. */
async function store(
  body: AsyncIterable<Buffer>,
  { item, context }: { readonly item: Item; readonly context: TaskContext },
): Promise<unknown> {
  // The S3 client is heavy, and most items need none.
  const { writePlace } = await import('../../src/connectors/files/task-storage.ts');
  const { signal, idempotencyKey } = context;
  return writePlace(item.to ?? 'job', body, { signal, idempotencyKey, folder: 'bodies' });
}

/** Bytes that HTTP cannot carry in a header, line ends above all, would let a value write headers of its own. */
function headerProblem(name: string, value: string): string | undefined {
  if (!headerName.test(name)) return 'expected a header name';
  if (ownHeaders.has(name.toLowerCase())) return 'expected no header that the connection itself sets';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'expected printable characters of Latin-1 on one line';
  return undefined;
}

/** Headers and body as they are sent: JSON unless the item says otherwise, and a key by which an API knows a repetition. */
async function written(
  item: Item,
  { idempotencyKey, signal }: TaskContext,
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly body?: string | Uint8Array }> {
  const names = Object.keys(item.headers);
  const named = new Set(names.map((name) => name.toLowerCase()));
  const added: Record<string, string> = {};
  if (!named.has('user-agent')) added['user-agent'] = 'fanloop';
  if (keyedMethods.has(item.method) && !named.has('idempotency-key')) added['idempotency-key'] = idempotencyKey;
  if (item.body === undefined) return { headers: { ...item.headers, ...added } };
  const { body, type } = await writtenBody(item, signal);
  const given = contentTypeOf(item.headers);
  if (given === undefined) return { headers: { ...item.headers, ...added, 'content-type': type }, body };
  if (!type.startsWith('multipart/')) return { headers: { ...item.headers, ...added }, body };
  // A form in parts names its boundary itself.
  const others = Object.entries(item.headers).filter(([name]) => name.toLowerCase() !== 'content-type');
  return { headers: { ...Object.fromEntries(others), ...added, 'content-type': type }, body };
}

/** Whether nothing is to be written but a line: a GET of a URL, as most items are. */
const isPlain = ({ headers, body, method }: Item): boolean =>
  body === undefined && !keyedMethods.has(method) && Object.keys(headers).length === 0;

/** Those of a plain call: made once. */
const plainHeaders = { 'user-agent': 'fanloop' } as const;

function writtenBody(item: Item, signal: AbortSignal): Promise<WrittenBody> {
  return writeBody(item.body, contentTypeOf(item.headers), async (place) => {
    // The S3 client is heavy, and most items need none.
    const { readPlace } = await import('../../src/connectors/files/task-storage.ts');
    return readWhole(readPlace(place, { signal }));
  });
}

function contentTypeOf(headers: Readonly<Record<string, string>>): string | undefined {
  for (const name in headers) if (name.toLowerCase() === 'content-type') return headers[name];
  return undefined;
}
