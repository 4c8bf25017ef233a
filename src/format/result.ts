import * as z from 'zod';
import type { Digest } from './digest.ts';
import { decodeDigest, encodeDigest } from './digest-text.ts';
import { parseJson, toJson } from './json.ts';
import type { Row } from './outcome.ts';
import { BrokenRecord, recordFormat } from './record.ts';

/** What a result says beside its own rows. */
export interface ResultHead {
  readonly writer: string;
  /** Names of the segments that hold the chunk's earlier rows. */
  readonly segments: readonly string[];
  readonly digest: Digest;
}

/** Rows as they stand in an object: in a result with the names of the segments that hold the chunk's earlier ones. */
export interface StoredRows {
  readonly segments: readonly string[];
  readonly rows: readonly Row[];
}

/** The first line of results and segments. Version 1 had one only in results with segments, and without a version. */
interface RowsHead {
  readonly v: number;
  readonly segments: readonly string[];
}

const rowsHead = recordFormat<RowsHead>('rows', 2, () =>
  z.looseObject({ v: z.number().default(1), segments: z.array(z.string()).default([]) }),
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const lineFeed = 10;

/** A row as it is written. A worker makes each text once, of the text that its value has already. */
export interface RowLine {
  readonly index: number;
  readonly text: string;
}

/** The line of a row; `json` is the text of its value where that was written before. */
export function lineOf(row: Row, json?: string): RowLine {
  const { index } = row;
  if (json === undefined || row.status !== 'succeeded') return { index, text: toJson(row) ?? 'null' };
  const { key, attempts, durationMs, at } = row;
  const named = key === undefined ? '' : `,"key":${JSON.stringify(key)}`;
  const about = 'item' in row ? `${named},"item":${toJson(row.item) ?? 'null'}` : named;
  const begun = at === undefined ? '' : `,"at":${at}`;
  const took = `"attempts":${attempts},"durationMs":${durationMs}${begun}`;
  return { index, text: `{"index":${index}${about},"status":"succeeded","value":${json},${took}}` };
}

/** A result's or segment's body: a line with its version and the segments' names, then a row a line. */
export function encodeLines(rows: readonly RowLine[], segments: readonly string[] = []): Uint8Array {
  const head = segments.length === 0 ? { v: rowsHead.version } : { v: rowsHead.version, segments };
  let text = `${JSON.stringify(head)}\n`;
  for (const row of rows) text += `${row.text}\n`;
  return encoder.encode(text);
}

/** How a head begins; a row begins with its index. */
const headStart = /^\{"(v|segments)":/;
const headStartBytes = '{"segments":'.length;

/** A result's or segment's body apart: the lines of its rows are not read, nor copied. @throws UsageError `NewerVersion` */
export function decodeBody(body: Uint8Array): { readonly segments: readonly string[]; readonly lines: Uint8Array } {
  const hasHead = headStart.test(decoder.decode(body.subarray(0, headStartBytes)));
  const end = hasHead ? body.indexOf(lineFeed) + 1 : 0;
  const { segments } = end === 0 ? { segments: [] } : rowsHead.parse(decoder.decode(body.subarray(0, end)));
  return { segments, lines: body.subarray(end) };
}

/** Reads a result's or segment's body. @throws UsageError `NewerVersion` */
export function decodeRows(body: Uint8Array): StoredRows {
  const { segments, lines } = decodeBody(body);
  // Each line was written by encodeLines of a Row; a job has too many of them to check their shape.
  return { segments, rows: linesIn(lines).map(rowOf) };
}

/** The rows of a body as their lines, of which only the index is read. */
export const decodeLines = (lines: Uint8Array): RowLine[] => linesIn(lines).map(readLine);

const linesIn = (lines: Uint8Array): readonly string[] =>
  lines.length === 0 ? [] : decoder.decode(lines).trimEnd().split('\n');

const indexStart = '{"index":';

function readLine(text: string, n: number): RowLine {
  const index = text.startsWith(indexStart) ? Number(text.slice(indexStart.length, text.indexOf(','))) : Number.NaN;
  return Number.isInteger(index) ? { index, text } : { index: rowOf(text, n).index, text };
}

function rowOf(line: string, n: number): Row {
  try {
    return parseJson(line) as Row;
  } catch (cause) {
    throw new BrokenRecord(`expected a row, got another line ${n + 1}: ${JSON.stringify(line.slice(0, 60))}`, {
      cause,
    });
  }
}

/** A result's metadata: who wrote it, and what it counts. */
export const resultMetadata = ({ writer, digest }: Omit<ResultHead, 'segments'>): Readonly<Record<string, string>> => ({
  writer,
  digest: encodeDigest(digest),
});

/** What a result counts, from its metadata. @throws UsageError `NewerVersion`; Error when it holds no digest. */
export const resultDigest = (metadata: Readonly<Record<string, string>>): Digest =>
  decodeDigest(metadata['digest'] ?? '');
