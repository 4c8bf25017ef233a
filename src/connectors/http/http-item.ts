import * as z from 'zod';
import { type HttpMethod, httpMethods } from './methods.ts';
import { bodyProblem } from './request-body.ts';
import { readPlace } from './url.ts';
import { bodyViews } from './value.ts';

/** An item of the task `http`, as its schema puts it out. */
export type HttpItem = z.output<typeof request>;

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
export const httpItem: typeof item = Object.create(item, {
  '~standard': {
    value: {
      ...standard,
      validate: (given: unknown) =>
        typeof given === 'string' && urlProblem(given) === undefined
          ? { value: { url: given, method: 'GET', headers: {}, as: 'auto' } satisfies HttpItem }
          : standard.validate(given),
    },
  },
});

/** Bytes that HTTP cannot carry in a header, line ends above all, would let a value write headers of its own. */
function headerProblem(name: string, value: string): string | undefined {
  if (!headerName.test(name)) return 'expected a header name';
  if (ownHeaders.has(name.toLowerCase())) return 'expected no header that the connection itself sets';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'expected printable characters of Latin-1 on one line';
  return undefined;
}

/** What an item says its body is. */
export function contentTypeOf(headers: Readonly<Record<string, string>>): string | undefined {
  for (const name in headers) if (name.toLowerCase() === 'content-type') return headers[name];
  return undefined;
}
