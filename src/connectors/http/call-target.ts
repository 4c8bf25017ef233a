import { parseUrl } from './redirect.ts';

/** Where a call goes. */
export interface CallTarget {
  /** The whole URL, as a parser writes it. */
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  /** Path and query. */
  readonly path: string;
}

type Origin = Omit<CallTarget, 'href' | 'path'>;

/** Origins of earlier calls, by how they begin a URL; the first ones, since a job that calls more of them gains nothing. */
const known = new Map<string, Origin>();
const maxKnown = 100;

/** Paths and queries that stand in a URL as they are: nothing to be escaped in them, or left out. */
const plainPath = /^[\w!$&()*+,\-./:;=@~?]+$/;

/**
 * Reads the URL of a call. To parse one costs as much as to read an answer's head, and the URLs of a job differ in their ends alone:
 * those are looked at, where they are plain, and the rest is remembered.
 *
 * @throws TaskError `InvalidUrl`
 */
export function callTarget(text: string): CallTarget {
  // After `https://`, or within a host of one letter.
  const slash = text.indexOf('/', 8);
  const origin = slash === -1 ? undefined : known.get(text.slice(0, slash));
  if (origin !== undefined) {
    const path = text.slice(slash);
    if (plainPath.test(path) && !path.includes('/.') && !path.endsWith('?')) return targetAt(origin, text, path);
  }
  const url = parseUrl(text);
  if (known.size < maxKnown && text.slice(0, slash) === url.origin) known.set(url.origin, originOf(url));
  return targetAt(url, url.href, url.pathname + url.search);
}

/** Read once: each property of a URL is a piece cut anew. */
const originOf = ({ origin, host, hostname, port }: URL): Origin => ({ origin, host, hostname, port });

const targetAt = ({ origin, host, hostname, port }: Origin, href: string, path: string): CallTarget => ({
  href,
  origin,
  host,
  hostname,
  port,
  path,
});
