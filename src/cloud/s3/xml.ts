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
