/** Kept, since making a decoder costs more than using it. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

type Decoder = typeof utf8;

/** Labels that servers put on whatever they send: the bytes know better. */
const vagueLabels: ReadonlySet<string> = new Set(['ascii', 'us-ascii', 'binary', 'none', 'unknown', 'default', 'auto']);

/**
 * A body's text in the charset of its content type. Where the label is unknown, vague, or absent, the bytes say what they are: a byte
 * order mark, or UTF-8. JSON is UTF-8 whatever its label says (RFC 8259), if it can be. Undefined where the bytes are no text.
 */
export function textOf(body: Buffer, type: string): string | undefined {
  const label = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (label === 'utf-8' || label === 'utf8') return decode(utf8, body) ?? ofMark(body);
  const named = vagueLabels.has(label) ? undefined : decoderOf(label);
  if (named === undefined || /json/i.test(type)) {
    const text = decode(utf8, body) ?? ofMark(body);
    if (text !== undefined) return text;
  }
  const fallback = named ?? (vagueLabels.has(label) && label !== 'binary' ? decoderOf('windows-1252') : undefined);
  return fallback === undefined ? undefined : decode(fallback, body);
}

/** The beginning of a body as text, at most so many bytes of it; undefined where there is none, or it is no text. */
export function beginningText(body: Buffer, type: string, maxBytes: number): string | undefined {
  if (body.length === 0) return undefined;
  if (body.length <= maxBytes) return textOf(body, type);
  // A character may be cut in two: UTF-8 has at most four bytes for one.
  for (let cut = maxBytes; cut > maxBytes - 4; cut -= 1) {
    const text = textOf(body.subarray(0, cut), type);
    if (text !== undefined) return `${text}…`;
  }
  return undefined;
}

/** UTF-16 shows itself by its mark. */
function ofMark(body: Buffer): string | undefined {
  const [first, second] = body;
  if (first === 0xff && second === 0xfe) return decode(new TextDecoder('utf-16le', { fatal: true }), body);
  if (first === 0xfe && second === 0xff) return decode(new TextDecoder('utf-16be', { fatal: true }), body);
  return undefined;
}

/** Whether a label names a charset. */
export function isCharset(label: string): boolean {
  return decoderOf(label) !== undefined;
}

function decoderOf(label: string): Decoder | undefined {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch {
    return undefined;
  }
}

function decode(decoder: Decoder, body: Buffer): string | undefined {
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}
