import type { HttpAnswer } from '../../src/connectors/http/call.ts';
import { contentTypeOf, type HttpItem, httpItem } from '../../src/connectors/http/http-item.ts';
import type { HttpMethod } from '../../src/connectors/http/methods.ts';
import { readWhole, type WrittenBody, writeBody } from '../../src/connectors/http/request-body.ts';
import { bodyValue } from '../../src/connectors/http/value.ts';
import { limits } from '../../src/limits.ts';
import { stopOf } from '../../src/task/stop.ts';
import { defineTask, type TaskContext } from '../../src/task/task.ts';

/** Headers of an answer that its row keeps. */
const keptHeaders = ['content-type', 'etag', 'last-modified', 'location', 'link', 'retry-after', 'x-request-id'];

/** Methods that an API may have to be told apart from their own repetition. */
const keyedMethods: ReadonlySet<HttpMethod> = new Set(['POST', 'PATCH']);

/** Calls an HTTP API once for each item. */
export const task = defineTask({
  description: 'Calls a URL and returns status, headers, and body',
  input: httpItem,
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

interface Kept {
  readonly status: number;
  /** `set-cookie` is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Where the answer came from, when it moved. */
  readonly url?: string;
}

function kept({ status, headers, setCookie, url }: Omit<HttpAnswer, 'body'>, item: HttpItem): Kept {
  const found: Record<string, string | readonly string[]> = {};
  for (const name of wantedHeaders(item, headers)) {
    const value = name === 'set-cookie' ? setCookie : headers[name];
    if (value !== undefined) found[name] = value;
  }
  const hasMoved = url !== item.url && withoutHash(url) !== withoutHash(URL.parse(item.url)?.href ?? '');
  return hasMoved ? { status, url, headers: found } : { status, headers: found };
}

const withoutHash = (url: string): string => url.replace(/#.*$/s, '');

function wantedHeaders({ keepHeaders, method }: HttpItem, headers: HttpAnswer['headers']): readonly string[] {
  if (keepHeaders?.[0] === '*') return Object.keys(headers);
  if (keepHeaders !== undefined) return [...keptHeaders, ...keepHeaders];
  return method === 'HEAD' ? [...keptHeaders, 'content-length'] : keptHeaders;
}

/** Streams a body to an object, and answers where it is. */
async function store(
  body: AsyncIterable<Buffer>,
  { item, context }: { readonly item: HttpItem; readonly context: TaskContext },
): Promise<unknown> {
  // The S3 client is heavy, and most items need none.
  const { writePlace } = await import('../../src/connectors/files/task-storage.ts');
  const { signal, idempotencyKey } = context;
  return writePlace(item.to ?? 'job', body, { signal, idempotencyKey, folder: 'bodies' });
}

/** Headers and body as they are sent: JSON unless the item says otherwise, and a key by which an API knows a repetition. */
async function written(
  item: HttpItem,
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
const isPlain = ({ headers, body, method }: HttpItem): boolean =>
  body === undefined && !keyedMethods.has(method) && Object.keys(headers).length === 0;

/** Those of a plain call: made once. */
const plainHeaders = { 'user-agent': 'fanloop' } as const;

function writtenBody(item: HttpItem, signal: AbortSignal): Promise<WrittenBody> {
  return writeBody(item.body, contentTypeOf(item.headers), async (place) => {
    // The S3 client is heavy, and most items need none.
    const { readPlace } = await import('../../src/connectors/files/task-storage.ts');
    return readWhole(readPlace(place, { signal }));
  });
}
