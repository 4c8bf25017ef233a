import { z } from 'zod';
import type { HttpAnswer } from '../../src/connectors/http/call.ts';
import { type HttpMethod, httpMethods } from '../../src/connectors/http/methods.ts';
import { bodyText, bodyValue, bodyViews } from '../../src/connectors/http/value.ts';
import { limits } from '../../src/limits.ts';
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

const bodylessMethods: ReadonlySet<HttpMethod> = new Set(['GET', 'HEAD']);

/** Methods that an API may have to be told apart from their own repetition. */
const keyedMethods: ReadonlySet<HttpMethod> = new Set(['POST', 'PATCH']);

const url = z.string('expected a URL').superRefine((text, context) => {
  const parsed = URL.parse(text);
  const problem =
    parsed === null
      ? `expected a URL, got "${text.slice(0, 80)}"`
      : parsed.protocol !== 'http:' && parsed.protocol !== 'https:'
        ? `expected an http:// or https:// URL, got ${parsed.protocol}`
        : parsed.username !== '' || parsed.password !== ''
          ? 'expected no user name or password within the URL; send an authorization header instead'
          : undefined;
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

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
      as: z.enum(itemViews, `expected one of ${itemViews.join(', ')}`).default('auto'),
      to: z
        .string('expected s3://bucket/key')
        .regex(/^s3:\/\/[^/]+\/.+$/s, 'expected s3://bucket/key')
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'invalid_type'
          ? 'expected a URL or an object {url, method, headers, body, expect, as, to}'
          : undefined,
    },
  )
  .refine(({ method, body }) => body === undefined || !bodylessMethods.has(method), {
    path: ['body'],
    error: 'expected none, since GET and HEAD carry no body',
  })
  .refine(({ as, to }) => to === undefined || as === 'object', {
    path: ['to'],
    error: 'expected none unless as is "object"',
  });

/** Calls an HTTP API once for each item. */
export const task = defineTask({
  description: 'Calls a URL and returns status, headers, and body',
  input: z.preprocess((item) => (typeof item === 'string' ? { url: item } : item), request),
  example: { url: 'https://example.com/items', method: 'POST', body: { name: 'Ada' }, expect: 201 },
  maxValueBytes: limits.maxValueBytes,
  run: async (item, context) => {
    // Undici takes a while to load, and the command line reads this file for its schema alone.
    const { httpCall, httpStream } = await import('../../src/connectors/http/call.ts');
    const call = { url: item.url, method: item.method, ...written(item, context) };
    const options = {
      signal: context.signal,
      ...(item.expect === undefined ? {} : { expect: item.expect }),
    };
    if (item.as === 'object') {
      const receive = (body: AsyncIterable<Buffer>): Promise<unknown> => store(body, { item, context });
      const { received, ...head } = await httpStream(call, { ...options, receive });
      return { ...kept(head), body: received };
    }
    const answer = await httpCall(call, options);
    return { ...kept(answer), ...bodyValue(answer, item.as) };
  },
});

function kept({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>): Pick<HttpAnswer, 'status' | 'headers'> {
  return {
    status,
    headers: Object.fromEntries(keptHeaders.flatMap((name) => (name in headers ? [[name, headers[name] ?? '']] : []))),
  };
}

/** Streams a body to an object, and answers where it is. */
async function store(
  body: AsyncIterable<Buffer>,
  { item, context }: { readonly item: z.output<typeof request>; readonly context: TaskContext },
): Promise<unknown> {
  // The S3 client is heavy, and most items need none.
  const { writePlace } = await import('../../src/connectors/files/task-storage.ts');
  const { signal, idempotencyKey } = context;
  return writePlace(item.to ?? 'job', body, { signal, idempotencyKey, folder: 'bodies' });
}

/** Bytes that HTTP cannot carry in a header, line ends above all, would let a value write headers of its own. */
function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return 'expected a header name';
  if (ownHeaders.has(name.toLowerCase())) return 'expected no header that the connection itself sets';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'expected printable characters of Latin-1 on one line';
  return undefined;
}

/** Headers and body as they are sent: JSON unless the item says otherwise, and a key by which an API knows a repetition. */
function written(
  item: z.output<typeof request>,
  { idempotencyKey }: TaskContext,
): { readonly headers: Readonly<Record<string, string>>; readonly body?: string } {
  const named = new Set(Object.keys(item.headers).map((name) => name.toLowerCase()));
  const added: Record<string, string> = {};
  if (!named.has('user-agent')) added['user-agent'] = 'fanloop';
  if (keyedMethods.has(item.method) && !named.has('idempotency-key')) added['idempotency-key'] = idempotencyKey;
  if (item.body === undefined) return { headers: { ...item.headers, ...added } };
  const isText = typeof item.body === 'string';
  if (!named.has('content-type')) added['content-type'] = isText ? 'text/plain; charset=utf-8' : 'application/json';
  return { headers: { ...item.headers, ...added }, body: bodyText(item.body) };
}
