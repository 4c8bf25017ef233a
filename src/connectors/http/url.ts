/** What a call needs of a URL. */
export type CallUrl = Readonly<
  Pick<
    URL,
    'href' | 'origin' | 'host' | 'hostname' | 'port' | 'protocol' | 'username' | 'password' | 'pathname' | 'search'
  >
>;

type Place = Omit<CallUrl, 'href' | 'pathname' | 'search'>;

/** Characters that the URL parser leaves as they are: in a path, and in a query, by their codes. */
const plainInPath = tableOf('~!$()*+,;:@=&./-');
const plainInQuery = tableOf('~!$()*+,;:@=&./?%-');

function tableOf(marks: string): readonly boolean[] {
  return Array.from({ length: 128 }, (_, code) => {
    const character = String.fromCharCode(code);
    return /\w/.test(character) || marks.includes(character);
  });
}

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
  const query = place === undefined || slash === -1 ? -1 : queryOf(text, slash);
  if (place !== undefined && query !== -1) {
    const { origin, host, hostname, port, protocol, username, password } = place;
    const [pathname, search] = [text.slice(slash, query), text.slice(query)];
    return { href: text, origin, host, hostname, port, protocol, username, password, pathname, search };
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

/**
 * Where the query begins of a text whose path begins at `from`, its end where there is none; -1 where parsing would change something.
 * A loop, since this is done twice for every item, and an expression's matches were a tenth of what a call allocates.
 */
function queryOf(text: string, from: number): number {
  let query = -1;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (query === -1 && code === questionMark) query = at;
    else if ((query === -1 ? plainInPath : plainInQuery)[code] !== true) return -1;
    // A dot after a slash may be one of those that are resolved.
    if (code === dot && text.charCodeAt(at - 1) === slashCode) return -1;
  }
  // A query without a parameter is none.
  return query === text.length - 1 ? -1 : query === -1 ? text.length : query;
}

const [dot, slashCode, questionMark] = [0x2e, 0x2f, 0x3f];
