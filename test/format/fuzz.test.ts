import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkTableFormat, cutFormat } from '../../src/format/chunk.ts';
import { decodeDigest } from '../../src/format/digest-text.ts';
import { indexListFormat } from '../../src/format/index-list.ts';
import { manifestFormat } from '../../src/format/manifest.ts';
import { markerFormat } from '../../src/format/marker.ts';
import { parseMessage } from '../../src/format/message.ts';
import { answerFormat, parseRequest } from '../../src/format/request.ts';
import { decodeRows } from '../../src/format/result.ts';
import { summaryFormat } from '../../src/format/summary.ts';
import { stalledFormat, tickFormat } from '../../src/format/tick.ts';
import { tokenFormat } from '../../src/format/token.ts';

const formats = [
  chunkTableFormat,
  cutFormat,
  indexListFormat,
  manifestFormat,
  markerFormat,
  answerFormat,
  summaryFormat,
  stalledFormat,
  tickFormat,
  tokenFormat,
];

/** Whatever reads text that anybody may have written. */
const readers: ReadonlyArray<readonly [string, (text: string) => unknown]> = [
  ...formats.map((format) => [format.name, (text: string): unknown => format.parse(text)] as const),
  ['a digest', decodeDigest],
  ['rows', (text) => decodeRows(new TextEncoder().encode(text))],
  ['a request', (text) => parseRequest(JSON.parse(text))],
  ['a message', parseMessage],
];

const folder = `${import.meta.dirname}/golden/1`;
const golden = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => readFileSync(`${folder}/${name}`, 'utf8').trimEnd());

/** Keys that reach into objects where they are not handled with care. */
const evilKey = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'v', 'totals', 'codes', 'parts');
const evil = fc.dictionary(evilKey, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value));

/** Golden records with one thing changed: cut short, a key given another value, or a few characters of another kind. */
const changed = fc.oneof(
  fc.tuple(fc.constantFrom(...golden), fc.nat(400)).map(([text, at]) => text.slice(0, at)),
  fc.tuple(fc.constantFrom(...golden), fc.nat(40), fc.jsonValue({ maxDepth: 2 })).map(([text, at, value]) => {
    const record: Record<string, unknown> = JSON.parse(text);
    const keys = Object.keys(record);
    const key = keys[at % keys.length] ?? 'v';
    return JSON.stringify({ ...record, [key]: value });
  }),
  fc
    .tuple(fc.constantFrom(...golden), fc.nat(400), fc.string({ maxLength: 3 }))
    .map(([text, at, put]) => `${text.slice(0, at)}${put}${text.slice(at + put.length)}`),
);

const anything = fc.oneof(fc.string(), fc.json(), evil, changed, fc.string({ unit: 'binary' }));

describe('whatever is read', () => {
  it.each(readers)('%s comes back or is refused by an error with a code', (name, read) => {
    const untouched = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(anything, (text) => {
        // The event of a function has been parsed by the runtime.
        fc.pre(name !== 'a request' || isJson(text));
        try {
          read(text);
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(BrokenRecord|NewerVersion|InvalidRequest)$/),
            message: expect.stringMatching(/^[^\n]{1,400}$/),
          });
        }
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(untouched);
        expect(({} as { polluted?: unknown })['polluted']).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
