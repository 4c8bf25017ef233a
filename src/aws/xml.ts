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
