/**
 * Where a key lives on disk. Each segment between slashes becomes a file name in which every byte but `a-z`, `0-9`, `-`, `_` and inner
 * dots is written as `%xx`: so neither `..`, nor line separators, nor a file system that ignores case can confuse two keys. The last
 * segment ends in `+`, since `a` (a file) and `a/b` (in a folder) are both keys on S3.
 *
 * Keys are handled as binary strings, one character for each byte of UTF-8, since S3 sorts by bytes and JavaScript by UTF-16 units.
 */

/** Most file systems take 255 bytes for a name; a longer segment goes on in a folder that ends in `%`. */
const pieceCharacters = 200;
/** Marks the file of an object; no encoded name holds it. */
const objectMark = '+';
/** Ends a folder that holds the rest of a long segment; alone, it is the empty segment. No encoded name ends in it. */
const continuedMark = '%';

/** A key as S3 sorts it: one character a byte. */
export function toBinaryKey(key: string): string {
  return Buffer.from(key, 'utf8').toString('latin1');
}

/** The key that a binary key stands for. */
export function fromBinaryKey(binary: string): string {
  return Buffer.from(binary, 'latin1').toString('utf8');
}

/** The file of an object, as a path below the bucket's folder of objects. */
export function objectPath(binaryKey: string): string {
  return `${binaryKey.split('/').map(segmentPath).join('/')}${objectMark}`;
}

/** The folder that holds what begins with a binary prefix which ends in a slash (or is empty); ends in a slash itself. */
export function folderPath(binaryPrefix: string): string {
  return binaryPrefix
    .split('/')
    .slice(0, -1)
    .map((segment) => `${segmentPath(segment)}/`)
    .join('');
}

/** What one name in a folder stands for: an object, a folder of keys, or the rest of a long segment. */
export interface FolderEntry {
  /** The name on disk. */
  readonly name: string;
  readonly kind: 'object' | 'folder';
  /** Bytes that this name adds to the key: a segment, with its slash where it is a folder. */
  readonly bytes: string;
}

/** Reads one name of a folder; undefined where the store did not write it. */
export function parseEntry(name: string): FolderEntry | undefined {
  const isObject = name.endsWith(objectMark);
  const encoded = isObject ? name.slice(0, -1) : name;
  if (encoded === continuedMark) return { name, kind: isObject ? 'object' : 'folder', bytes: isObject ? '' : '/' };
  if (isObject) return isEncoded(encoded) ? { name, kind: 'object', bytes: decode(encoded) } : undefined;
  if (encoded.endsWith(continuedMark)) {
    const part = encoded.slice(0, -1);
    return isEncoded(part) ? { name, kind: 'folder', bytes: decode(part) } : undefined;
  }
  return isEncoded(encoded) ? { name, kind: 'folder', bytes: `${decode(encoded)}/` } : undefined;
}

function segmentPath(segment: string): string {
  if (segment === '') return continuedMark;
  const encoded = segment.replace(
    /^\.|[^a-z0-9._-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  if (encoded.length <= pieceCharacters) return encoded;
  // A piece is longer than any name that stands alone, so a piece is never the name of a shorter segment, and names sort as their keys do.
  const pieces: string[] = [];
  let rest = encoded;
  while (rest.length > pieceCharacters) {
    let end = pieceCharacters + 1;
    const lastEscape = rest.lastIndexOf('%', end - 1);
    if (lastEscape !== -1 && lastEscape + 3 > end) end = lastEscape + 3;
    pieces.push(rest.slice(0, end));
    // A dot may not begin a name here either: the rest could be `..`.
    rest = rest.slice(end).replace(/^\./, '%2e');
  }
  return rest === '' ? `${pieces.join('%/')}%/${continuedMark}` : [...pieces, rest].join('%/');
}

function isEncoded(text: string): boolean {
  return /^(?!\.)(?:[a-z0-9._-]|%[0-9a-f]{2})+$/.test(text);
}

function decode(encoded: string): string {
  return encoded.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
