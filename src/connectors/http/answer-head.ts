/** A longer head is the parser's to refuse. */
const maxHeldBytes = 66_560;

const lengthLine = /\ncontent-length[ \t]*:([^\r\n]*)\r?(?=\n)/gi;
const chunkedLine = /\ntransfer-encoding[ \t]*:[^\n]*chunked[ \t]*\r?\n/i;

/** Whether these first bytes of an answer end within its head. What does not begin as HTTP is left to the parser. */
export function isCutHead(bytes: Buffer): boolean {
  return bytes.length < maxHeldBytes && headEnd(bytes) === -1 && bytes.toString('latin1', 0, 5) === 'HTTP/';
}

/**
 * The first bytes of an answer with one Content-Length where the same one stands in them several times, as lines or as a list, and with
 * none where the body comes in chunks, which say themselves how long they are. HTTP's parser refuses all of these, curl and browsers take
 * them, as RFC 9110 (8.6) and RFC 9112 (6.3) say. Unequal ones are left to the parser.
 */
export function withOneLength(bytes: Buffer): Buffer {
  const end = headEnd(bytes);
  if (end === -1) return bytes;
  const head = bytes.toString('latin1', 0, end + 1);
  if (hasOneLength(head.toLowerCase())) return bytes;
  const values = [...head.matchAll(lengthLine)].flatMap(([, value = '']) => value.split(',').map((one) => one.trim()));
  const [length = ''] = values;
  const isChunked = values.length > 0 && chunkedLine.test(head);
  const isRepeated = values.length > 1 && /^\d+$/.test(length) && values.every((value) => value === length);
  if (!isChunked && !isRepeated) return bytes;
  let isFirst = !isChunked;
  const mended = head.replaceAll(lengthLine, () => {
    const line = isFirst ? `\ncontent-length: ${length}\r` : '';
    isFirst = false;
    return line;
  });
  return Buffer.concat([Buffer.from(mended, 'latin1'), bytes.subarray(end + 1)]);
}

/** The fast look, made for every answer: expressions cost ten times as much. */
function hasOneLength(head: string): boolean {
  const first = head.indexOf('\ncontent-length');
  if (first === -1) return true;
  if (head.indexOf('\ncontent-length', first + 1) !== -1 || head.includes('\ntransfer-encoding')) return false;
  return !head.slice(first, head.indexOf('\n', first + 1)).includes(',');
}

/** Where the last line of the head ends; -1 where it does not. Some servers end lines without a CR. */
function headEnd(bytes: Buffer): number {
  const end = bytes.indexOf(crLfEnd);
  const bare = bytes.indexOf(bareEnd);
  return bare === -1 || (end !== -1 && end < bare) ? end : bare;
}

// As bytes: a search for a text would write it into a buffer first, each time.
const crLfEnd = Buffer.from('\n\r\n');
const bareEnd = Buffer.from('\n\n');
