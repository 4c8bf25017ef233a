/** A value of an answer: text, an element with children, or one element repeated. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | { readonly [name: string]: XmlValue }
  | readonly XmlValue[];

/** Writes an XML document; absent values leave out their elements. */
export function xml(root: string, content: { readonly [name: string]: XmlValue }, namespace = false): string {
  const open = namespace ? `${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"` : root;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${open}>${children(content)}</${root}>`;
}

/** The texts of all elements of a name, in order, with their entities decoded. Requests of S3 nest no element in one of the same name. */
export function elementTexts(document: string, name: string): string[] {
  return elements(document, name).map(decodeEntities);
}

/** The contents of all elements of a name, as they stand. */
export function elements(document: string, name: string): string[] {
  return [...document.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>([\\s\\S]*?)</${name}\\s*>)`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

function children(content: { readonly [name: string]: XmlValue }): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('');
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (isList(value)) return value.map((one) => element(name, one)).join('');
  return `<${name}>${typeof value === 'object' ? children(value) : encodeEntities(String(value))}</${name}>`;
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

function encodeEntities(text: string): string {
  // XML readers change a carriage return, and refuse other control characters as they are; S3 writes them as references too.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them.
  return text.replace(/[&<>"\u0000-\u0008\u000a-\u001f\ufffe\uffff]/g, (character) => {
    const named = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[character];
    return named ?? `&#x${character.charCodeAt(0).toString(16)};`;
  });
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#([0-9]+)|(amp|lt|gt|quot|apos));/gi,
    (whole, hex?: string, decimal?: string, named?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[named?.toLowerCase() ?? ''] ?? whole;
    },
  );
}
