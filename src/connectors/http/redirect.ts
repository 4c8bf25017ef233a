import { TaskError } from '../../task/errors.ts';
import { utf8Header } from './headers.ts';
import type { HttpRequest } from './request.ts';
import { type CallUrl, readUrl } from './url.ts';

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Headers that are meant for one origin only. */
const credentialHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'host']);

/** Headers that describe a body, and go with it. https://fetch.spec.whatwg.org/#request-body-header-name */
const bodyHeaders: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'content-length',
]);

/**
 * The request that a redirect asks for, as fetch understands it, or undefined where the answer is none.
 *
 * @throws TaskError `InvalidUrl` when the location is no URL that may be called
 */
export function redirected(
  request: HttpRequest,
  answer: { readonly status: number; readonly location: string | undefined },
): HttpRequest | undefined {
  // An empty target would be the same place again, for ever.
  if (!redirectStatuses.has(answer.status) || (answer.location ?? '').trim() === '') return undefined;
  const from = parseUrl(request.url);
  const to = parseUrl(utf8Header(answer.location ?? ''), from);
  const crossing = to.origin !== from.origin;
  const rewriting =
    (answer.status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    ((answer.status === 301 || answer.status === 302) && request.method === 'POST');
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => {
    const lower = name.toLowerCase();
    return !(crossing && credentialHeaders.has(lower)) && !(rewriting && bodyHeaders.has(lower));
  });
  return {
    url: to.href,
    method: rewriting ? 'GET' : request.method,
    headers: Object.fromEntries(headers),
    ...(crossing || request.secretHeaders === undefined ? {} : { secretHeaders: request.secretHeaders }),
    ...(rewriting || request.body === undefined ? {} : { body: request.body }),
  };
}

/** Parses the URL of a call. @throws TaskError `InvalidUrl` */
export function parseUrl(text: string, base?: CallUrl): CallUrl {
  const url = base === undefined ? readUrl(text) : URL.parse(text, base.href);
  if (url === null) throw invalidUrl('a URL, got something else');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidUrl(`an http:// or https:// URL, got ${url.protocol}`);
  if (url.username !== '' || url.password !== '') {
    throw invalidUrl('no user name or password within the URL; send an authorization header instead');
  }
  return url;
}

function invalidUrl(expectation: string): TaskError {
  return new TaskError(`expected ${expectation}`, { code: 'InvalidUrl' });
}
