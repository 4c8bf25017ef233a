import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chunkTableFormat, cutFormat } from '../../src/format/chunk.ts';
import { controlFormat } from '../../src/format/control.ts';
import { decodeDigest, encodeDigest } from '../../src/format/digest-text.ts';
import { indexListFormat } from '../../src/format/index-list.ts';
import { manifestFormat } from '../../src/format/manifest.ts';
import { markerFormat } from '../../src/format/marker.ts';
import { encodeMessage, parseMessage } from '../../src/format/message.ts';
import type { RecordFormat } from '../../src/format/record.ts';
import { answerFormat, parseRequest } from '../../src/format/request.ts';
import { decodeRows, resultDigest } from '../../src/format/result.ts';
import { seatFormat } from '../../src/format/seat.ts';
import { summaryFormat } from '../../src/format/summary.ts';
import { stalledFormat, tickFormat } from '../../src/format/tick.ts';
import { tokenFormat } from '../../src/format/token.ts';
import { encodeRows } from '../support/encode-rows.ts';

/** A record of an older version as this code reads and writes it. */
interface Codec {
  read(text: string): unknown;
  write(record: unknown): string;
}

const codec = <Shape>(format: RecordFormat<Shape>): Codec => ({
  read: (text) => format.parse(text),
  // What this same format has read.
  write: (record) => format.encode(record as Shape),
});

const message: Codec = {
  read: (text) => {
    const parsed = parseMessage(text);
    if (parsed.kind === 'message') return parsed.message;
    throw new Error(parsed.kind === 'newer' ? 'expected a message of version 1' : parsed.problem);
  },
  write: (record) => encodeMessage(record as Parameters<typeof encodeMessage>[0]),
};

const rows: Codec = {
  read: (text) => decodeRows(new TextEncoder().encode(text)),
  write: (record) => {
    const { rows: stored, segments } = record as ReturnType<typeof decodeRows>;
    return new TextDecoder().decode(encodeRows(stored, segments));
  },
};

const metadata: Codec = {
  read: (text) => resultDigest(JSON.parse(text)),
  write: (digest) => JSON.stringify({ digest: encodeDigest(digest as Parameters<typeof encodeDigest>[0]) }),
};

const request: Codec = { read: (text) => parseRequest(JSON.parse(text)), write: (record) => JSON.stringify(record) };

/** The codec of a golden file by the begin of its name; the longest that fits counts. */
const codecs: Readonly<Record<string, Codec>> = {
  answer: codec(answerFormat),
  'chunk-table': codec(chunkTableFormat),
  control: codec(controlFormat),
  cut: codec(cutFormat),
  seat: codec(seatFormat),
  indexes: codec(indexListFormat),
  manifest: codec(manifestFormat),
  marker: codec(markerFormat),
  message,
  request,
  result: rows,
  'result.metadata': metadata,
  'result-with-segments.metadata': metadata,
  segment: rows,
  stalled: codec(stalledFormat),
  summary: codec(summaryFormat),
  tick: codec(tickFormat),
  token: codec(tokenFormat),
};

const folder = `${import.meta.dirname}/golden`;
const files = readdirSync(folder).flatMap((version) =>
  readdirSync(`${folder}/${version}`).map((name) => ({ name: `${version}/${name}`, kind: kindOf(name) })),
);

function kindOf(name: string): string {
  const kinds = Object.keys(codecs).filter((kind) => name.startsWith(kind));
  return kinds.toSorted((a, b) => b.length - a.length)[0] ?? '';
}

const text = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8').trimEnd();
/** Records that are one JSON object with a version of their own. */
const objects = files.filter(({ kind }) => !/metadata/.test(kind) && !['result', 'segment'].includes(kind));

describe('golden records', () => {
  it('are of every kind', () => {
    expect(new Set(files.map(({ kind }) => kind))).toEqual(new Set(Object.keys(codecs)));
  });

  it.each(files)('$name is read, and read the same when this code has written it', ({ name, kind }) => {
    const { read, write } = codecs[kind] as Codec;
    const record = read(text(name));
    expect(record).toMatchSnapshot();
    expect(read(write(record))).toEqual(record);
  });

  it.each(objects.filter(({ kind }) => kind !== 'request'))(
    '$name keeps a field that this code does not know',
    ({ name, kind }) => {
      const { read, write } = codecs[kind] as Codec;
      const record = read(JSON.stringify({ ...JSON.parse(text(name)), later: { a: 1 } }));
      expect(JSON.parse(write(record))).toMatchObject({ later: { a: 1 } });
    },
  );

  it.each(objects)('$name of a newer version is refused in words', ({ name, kind }) => {
    const newer = JSON.stringify({ ...JSON.parse(text(name)), v: 99 });
    expect(() => (codecs[kind] as Codec).read(newer)).toThrow(/^expected .* of version [12]/);
  });

  it('of newer rows and digests are refused in words', () => {
    expect(() => rows.read('{"v":99}\n{"other":1}\n')).toThrow(/^expected rows of version 2 or older, got version 99/);
    expect(() => decodeDigest('{"v":99}')).toThrow(/^expected a digest of version 2 or older, got version 99/);
  });

  it('of a digest with a counter that this code does not know are read', () => {
    expect(decodeDigest('{"v":2,"succeeded":3,"newCounter":4}')).toMatchObject({ succeeded: 3, failed: 0 });
  });
});
