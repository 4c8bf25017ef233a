/** What the first bytes of an input say it is; undefined where they may well be UTF-8 text. */
export type Packed = 'gzip' | 'zip' | 'zstd' | 'bzip2' | 'xz' | 'UTF-16' | 'UTF-32' | 'Parquet' | 'Excel 97';

const magic: ReadonlyArray<readonly [Packed, readonly number[]]> = [
  ['gzip', [0x1f, 0x8b]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['Parquet', [0x50, 0x41, 0x52, 0x31]],
  ['Excel 97', [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
  ['UTF-32', [0xff, 0xfe, 0x00, 0x00]],
  ['UTF-32', [0x00, 0x00, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];

/** Names what an input's first bytes (4 are enough for most) begin. */
export function sniffPacked(bytes: Uint8Array): Packed | undefined {
  const [found] = magic.find(([, start]) => start.every((byte, i) => bytes[i] === byte)) ?? [];
  if (found !== undefined) return found;
  // Text in Latin letters has a zero in every other byte of UTF-16, and no zero in UTF-8.
  if (bytes.length >= 4 && (isEvery(bytes, 0) || isEvery(bytes, 1))) return 'UTF-16';
  return undefined;
}

/** The byte order of UTF-16 text, by its mark or by where its zeros are. */
export function isBigEndian(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe || bytes[0] === 0;
}

/** Whether the even (0) or odd (1) bytes at the start are zero, and the others are not. */
function isEvery(bytes: Uint8Array, zeros: 0 | 1): boolean {
  return [0, 1, 2, 3].every((i) => (bytes[i] === 0) === (i % 2 === zeros));
}

/** What to do with an input of that kind, as the end of a sentence. */
export const packedAdvice: Readonly<Record<Packed, string>> = {
  gzip: 'give it to "fanloop run", which unpacks it, or unpack it with "gunzip"',
  zip: 'unpack it first; a spreadsheet (.xlsx) is saved as CSV',
  zstd: 'unpack it with "zstd -d"',
  bzip2: 'unpack it with "bunzip2"',
  xz: 'unpack it with "unxz"',
  'UTF-16': 'give it to "fanloop run", which converts it, or convert it with "iconv -f UTF-16 -t UTF-8"',
  'UTF-32': 'convert it with "iconv -f UTF-32 -t UTF-8"',
  Parquet: 'write it as NDJSON or CSV first',
  'Excel 97': 'save it as CSV',
};

/** A cell separator that a table's first line may have. */
export const delimiters = [',', ';', '\t', '|'] as const;

/** The separator of a table by its first line: the most frequent one outside of quotes; undefined where there is none. */
export function sniffDelimiter(line: string): string | undefined {
  const bare = line.replaceAll(/"[^"]*"/g, '');
  const counted = delimiters.map((delimiter) => [delimiter, bare.split(delimiter).length - 1] as const);
  const [delimiter, times] = counted.reduce((most, next) => (next[1] > most[1] ? next : most));
  return times === 0 ? undefined : delimiter;
}
