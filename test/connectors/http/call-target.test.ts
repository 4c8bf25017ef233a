import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callTarget } from '../../../src/connectors/http/call-target.ts';

/** What a parser of URLs reads in a text. */
function parsed(text: string) {
  const { href, origin, host, hostname, port, pathname, search } = new URL(text);
  return { href, origin, host, hostname, port, path: pathname + search };
}

const origins = [
  'http://a',
  'http://127.0.0.1:8080',
  'https://api.example.com',
  'https://api.example.com:443',
  'http://[::1]:81',
  'HTTP://Example.COM',
];
const pieces = [
  ...[
    '/',
    '?',
    '#',
    '.',
    '..',
    '/.',
    '/./',
    '/../',
    '%2e',
    '%2E%2e',
    '%41',
    '%',
    '\\',
    ' ',
    '\t',
    '\n',
    "'",
    '"',
    '<',
    '>',
    '`',
  ],
  ...[
    '{',
    '}',
    '|',
    '^',
    '@',
    ':',
    ';',
    '&',
    '=',
    '+',
    '$',
    '!',
    '*',
    '(',
    ')',
    ',',
    '~',
    '-',
    '_',
    'é',
    '𝄞',
    '\u0000',
    'items',
    '42',
  ],
];

it('reads a URL as a parser of URLs does, whatever it has seen before', () => {
  const rest = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.constantFrom(...origins), rest, (origin, after) => {
      // So that the origin is known.
      callTarget(`${origin}/`);
      const text = `${origin}/${after}`;
      expect(callTarget(text)).toEqual(parsed(text));
    }),
    { numRuns: 20_000 },
  );
});

it.each(['http://user@a/', 'http://a@a/', 'ftp://a/', 'a/b', '', 'http://', 'https:///'])(
  'refuses %j as before, also where its origin is known',
  (text) => {
    callTarget('http://a/');
    expect(() => callTarget(text)).toThrow(expect.objectContaining({ code: 'InvalidUrl' }));
  },
);

it('parses the URLs of one origin once, where they are plain', () => {
  callTarget('https://once.example/');
  const parse = URL.parse;
  let parses = 0;
  URL.parse = (...given) => {
    parses++;
    return parse(...given);
  };
  try {
    for (let n = 0; n < 100; n++)
      expect(callTarget(`https://once.example/items/${n}?page=${n}`).path).toBe(`/items/${n}?page=${n}`);
  } finally {
    URL.parse = parse;
  }
  expect(parses).toBe(0);
});
