import { describe, expect, test } from 'vitest';
import { type BodyView, bodyValue } from '../../../src/connectors/http/value.ts';

const answer = (body: string | Buffer, type?: string): Parameters<typeof bodyValue>[0] => ({
  body: Buffer.from(body),
  headers: type === undefined ? {} : { 'content-type': type },
});
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]);

describe('a body', () => {
  test.each<[string, BodyView, Parameters<typeof bodyValue>[0], unknown]>([
    ['JSON by its type', 'auto', answer('{"a":1}', 'application/json; charset=utf-8'), { body: { a: 1 } }],
    ['JSON by its suffix', 'auto', answer('[1]', 'application/problem+json'), { body: [1] }],
    ['JSON that is none', 'auto', answer('<html>', 'application/json'), { body: '<html>' }],
    ['JSON of another type', 'auto', answer('{"a":1}', 'text/plain'), { body: '{"a":1}' }],
    ['text without a type', 'auto', answer('grüß'), { body: 'grüß' }],
    ['bytes', 'auto', answer(png, 'image/png'), { body: 'iVBOR/8=', encoding: 'base64' }],
    ['nothing', 'auto', answer(''), { body: null }],
    ['JSON of any type', 'json', answer('{"a":null}', 'text/plain'), { body: { a: null } }],
    ['null as JSON', 'json', answer('null'), { body: null }],
    ['nothing as JSON', 'json', answer(''), { body: null }],
    [
      'Latin-1 as text',
      'text',
      answer(Buffer.from('grüß', 'latin1'), 'text/plain; charset="ISO-8859-1"'),
      { body: 'grüß' },
    ],
    ['nothing as text', 'text', answer(''), { body: '' }],
    ['null', 'auto', answer('null', 'application/json'), { body: null }],
    ['0', 'auto', answer('0', 'application/json'), { body: 0 }],
    ['false', 'auto', answer('false', 'text/json'), { body: false }],
    ['an empty text of JSON', 'auto', answer('""', 'application/json'), { body: '' }],
    ['a number that JSON cannot hold', 'auto', answer('[1e400]', 'application/json'), { body: '[1e400]' }],
    ['an odd charset', 'auto', answer('grüß', 'text/plain; charset=martian'), { body: 'grüß' }],
    ['a vague charset', 'auto', answer('grüß', 'text/plain; charset=us-ascii'), { body: 'grüß' }],
    [
      'Latin-1 as ASCII',
      'auto',
      answer(Buffer.from('grüß', 'latin1'), 'text/plain; charset=us-ascii'),
      { body: 'grüß' },
    ],
    ['JSON, which is UTF-8', 'auto', answer('"ü"', 'application/json; charset=iso-8859-1'), { body: 'ü' }],
    ['UTF-16 by its mark', 'auto', answer(Buffer.from('\ufeffgrüß', 'utf16le'), 'text/plain'), { body: 'grüß' }],
    ['text as base64', 'base64', answer('hello'), { body: 'aGVsbG8=', encoding: 'base64' }],
  ])('of %s, seen as %s, has its value', (_, view, given, value) => {
    expect(bodyValue(given, view)).toEqual(value);
  });

  test.each<[string, BodyView, Parameters<typeof bodyValue>[0]]>([
    ['an HTML page', 'json', answer('<html>', 'text/html')],
    ['bytes', 'json', answer(png)],
    ['bytes', 'text', answer(png)],
    ['an unknown charset', 'text', answer(png, 'text/plain; charset=martian')],
  ])('of %s is invalid as %s', (_, view, given) => {
    expect(() => bodyValue(given, view)).toThrow(expect.objectContaining({ code: 'InvalidBody', retryable: false }));
  });
});
