/** Header lines as the parser gives them: a name that came several times has a list. */
export type HeaderLines = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers of one value: of several lines the first counts, and the last of a content type, as browsers read them. */
const single: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'etag',
  'last-modified',
  'location',
  'retry-after',
]);

/** Headers as one text a name; lines of a list are joined. Where there is none to join, they are the lines themselves: a copy costs as much as parsing them. */
export function headersOf(lines: HeaderLines): Readonly<Record<string, string>> {
  return isPlain(lines) ? lines : joinedLines(lines);
}

function isPlain(lines: HeaderLines): lines is Readonly<Record<string, string>> {
  for (const name in lines) if (typeof lines[name] !== 'string') return false;
  return true;
}

function joinedLines(lines: HeaderLines): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in lines) {
    const value = lines[name];
    if (typeof value === 'string') headers[name] = value;
    else if (value !== undefined) headers[name] = joined(name, value);
  }
  return headers;
}

function joined(name: string, values: readonly string[]): string {
  if (name === 'content-type') return values.at(-1) ?? '';
  if (single.has(name) && new Set(values).size === 1) return values[0] ?? '';
  return name === 'location' ? (values[0] ?? '') : values.join(', ');
}

/** Lines of Set-Cookie as they came: their commas and semicolons allow no joining. */
export function setCookieOf(lines: HeaderLines): readonly string[] | undefined {
  const value = lines['set-cookie'];
  return typeof value === 'string' ? [value] : value;
}

/** The text of a header that is UTF-8, which HTTP's parsers read as Latin-1. */
export function utf8Header(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: These are the characters that are no ASCII.
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? value : text;
}
