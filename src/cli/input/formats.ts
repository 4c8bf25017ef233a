import path from 'node:path';

/** Formats that a person may name by `--format`. */
export const inputFormats = ['ndjson', 'lines', 'csv', 'tsv', 'json'] as const;

/** How the bytes of a file, a stream, or an object are items. */
export type SourceFormat = (typeof inputFormats)[number];

const byExtension: Readonly<Record<string, SourceFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json-lines': 'ndjson',
  '.txt': 'lines',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.json': 'json',
};

/** What a name's ending says, in any case; the `.gz` of what is packed is passed over. Undefined where it says nothing. */
export function formatOfName(name: string): SourceFormat | undefined {
  return byExtension[path.posix.extname(name.toLowerCase().replace(/\.gz$/, ''))];
}

/** What the beginning of a text looks like, where its name says nothing. */
export function formatOfText(start: string): SourceFormat {
  const [first = '', second] = start.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  if (/^\s*\[/.test(first)) return 'json';
  if (isJson(first)) return 'ndjson';
  // An object or a text that goes on in the next line.
  if (/^\s*[{"]/.test(first) && !isTable(first, second)) return 'json';
  return isTable(first, second) ? (first.includes('\t') ? 'tsv' : 'csv') : 'lines';
}

/** Two lines of as many cells, the first of which are names: the beginning of a table. */
function isTable(first: string, second: string | undefined): boolean {
  if (first.includes('://')) return false;
  return [',', ';', '\t', '|'].some((delimiter) => {
    const cells = first.split(delimiter).length;
    return cells > 1 && (second === undefined || second.split(delimiter).length >= cells);
  });
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
