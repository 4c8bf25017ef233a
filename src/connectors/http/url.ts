/** What a call needs of a URL. */
export type CallUrl = Readonly<
  Pick<
    URL,
    'href' | 'origin' | 'host' | 'hostname' | 'port' | 'protocol' | 'username' | 'password' | 'pathname' | 'search'
  >
>;

type Place = Omit<CallUrl, 'href' | 'pathname' | 'search'>;

/** Path and query of characters that the URL parser leaves as they are. */
const plainRest = /^(\/[\w~!$()*+,;:@=&./-]*)(\?[\w~!$()*+,;:@=&./?%-]*)?$/;

/** Origins that were met, as they stood in their URLs; a job calls few, and one that calls many has other things to wait for. */
const places = new Map<string, Place>();
const maxPlaces = 1_000;

/**
 * Reads a URL; null where it is none. The items of a job are mostly paths of one origin, and to parse each of them twice takes a
 * twentieth of what its call does: where the origin is known and the rest is such that parsing would change nothing, it is only split.
 */
export function readUrl(text: string): CallUrl | null {
  const slash = text.indexOf('/', 'https://'.length);
  const before = slash === -1 ? text : text.slice(0, slash);
  const place = places.get(before);
  // A dot after a slash may be one of those that are resolved.
  if (place !== undefined && !text.includes('/.', slash)) {
    const [, pathname = '', search = ''] = plainRest.exec(slash === -1 ? '' : text.slice(slash)) ?? [];
    // A query without a parameter is none.
    if (pathname !== '' && search !== '?') return { href: text, ...place, pathname, search };
  }
  return parseUrl(text, before);
}

/** What a URL says before its path; null where it is none. Behind an origin that is known nothing can make it one. */
export function readPlace(text: string): Place | null {
  const slash = text.indexOf('/', 'https://'.length);
  const before = slash === -1 ? text : text.slice(0, slash);
  return places.get(before) ?? parseUrl(text, before);
}

function parseUrl(text: string, before: string): URL | null {
  const url = URL.parse(text);
  if (url !== null && url.origin === before) {
    if (places.size >= maxPlaces) places.clear();
    const { origin, host, hostname, port, protocol, username, password } = url;
    places.set(before, { origin, host, hostname, port, protocol, username, password });
  }
  return url;
}
