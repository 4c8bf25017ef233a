/** A longer head is the parser's to refuse. */
const maxHeldBytes = 66_560;

const lengthLine = /\ncontent-length[ \t]*:([^\r\n]*)\r?(?=\n)/gi;
const chunkedLine = /\ntransfer-encoding[ \t]*:[^\n]*chunked[ \t]*\r?\n/i;

/**
 * Whether a whole head begins here that needs no second look: with one Content-Length at most, of one number, and no
 * Transfer-Encoding beside it. Made for every answer, so it is one pass over the bytes. Lines are known by the letters that tell them
 * from others of their kind; one that is taken for another costs a second look.
 */
export function isPlainHead(bytes: Buffer): boolean {
  const end = Math.min(bytes.length, maxHeldBytes) - 1;
  let lengths = 0;
  let codings = 0;
  for (let at = 0; at < end; at += 1) {
    if (bytes[at] !== lineFeed) continue;
    const first = bytes[at + 1];
    if (first === lineFeed || (first === carriageReturn && bytes[at + 2] === lineFeed)) {
      return lengths === 0 || (lengths === 1 && codings === 0);
    }
    // Content-LEngth, Transfer-Encoding.
    if (isLetter(first, letterC) && isLetter(bytes[at + 9], letterL) && isLetter(bytes[at + 10], letterE)) {
      lengths += 1;
      for (let i = at + 1; i < end && bytes[i] !== lineFeed; i += 1) if (bytes[i] === comma) return false;
    } else if (isLetter(first, letterT) && bytes[at + 9] === dash) codings += 1;
  }
  return false;
}

const isLetter = (byte: number | undefined, small: number): boolean => byte !== undefined && (byte | 0x20) === small;

const [lineFeed, carriageReturn, comma, dash] = [0x0a, 0x0d, 0x2c, 0x2d];
const [letterC, letterE, letterL, letterT] = [0x63, 0x65, 0x6c, 0x74];

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

/** Where the last line of the head ends; -1 where it does not. Some servers end lines without a CR. */
function headEnd(bytes: Buffer): number {
  const end = bytes.indexOf(crLfEnd);
  const bare = bytes.indexOf(bareEnd);
  return bare === -1 || (end !== -1 && end < bare) ? end : bare;
}

// As bytes: a search for a text would write it into a buffer first, each time.
const crLfEnd = Buffer.from('\n\r\n');
const bareEnd = Buffer.from('\n\n');
