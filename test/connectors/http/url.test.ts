import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readPlace, readUrl } from '../../../src/connectors/http/url.ts';

const parts = [
  'href',
  'origin',
  'host',
  'hostname',
  'port',
  'protocol',
  'username',
  'password',
  'pathname',
  'search',
] as const;
const placeOf = (url: ReturnType<typeof readPlace>) => url && [url.origin, url.protocol, url.username, url.password];
const partsOf = (url: ReturnType<typeof readUrl>) => url && Object.fromEntries(parts.map((name) => [name, url[name]]));

const origins = [
  'http://a.example',
  'https://a.example:8443',
  'http://127.0.0.1:80',
  'HTTP://A.example',
  'http://u:p@a.example',
  'ftp://a',
  'x',
];
// Each kind that a parser treats in its own way, more often than chance would have them.
const pieces = [
  '/',
  '//',
  '.',
  '..',
  '/.',
  '/..',
  '?',
  '#',
  '%2e',
  '%',
  '%zz',
  '\\',
  ' ',
  '\t',
  '"',
  "'",
  '<',
  '{',
  '|',
  '^',
  '`',
  'é',
  '😀',
  'a',
  'B9',
  '~',
  '-',
  '_',
  '&',
  '=',
  '+',
  ':',
  '@',
  ';',
  ',',
  '!',
  '$',
  '(',
  '*',
  ')',
  '[',
  ']',
];

it('says of any URL what the parser says, also where the origin is known', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...origins),
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }),
      (origin, rest) => {
        // The first of an origin is what the others are split by.
        readUrl(`${origin}/`);
        for (const text of [origin + rest.join(''), `${origin}/${rest.join('')}`]) {
          expect(partsOf(readUrl(text))).toEqual(partsOf(URL.parse(text)));
          expect(placeOf(readPlace(text))).toEqual(placeOf(URL.parse(text)));
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
