import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, parseToWrite, toJson } from '../../src/format/json.ts';
import { NotJsonError, valueJson } from '../../src/format/value.ts';

class User {
  readonly name = 'Ada';
  readonly #secret = 1;
  get secret(): number {
    return this.#secret;
  }
}

class Vault {
  readonly #secret = 1;
  get secret(): number {
    return this.#secret;
  }
}

describe('a value', () => {
  it('of plain data is written as JSON writes it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(valueJson(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'null'],
    ['a field without a value', { a: undefined, b: 1 }, '{"b":1}'],
    [
      'a Map',
      new Map<string | number, unknown>([
        ['a', 1],
        [2, new Map([['b', 2]])],
      ]),
      '{"2":{"b":2},"a":1}',
    ],
    ['a Set', { tags: new Set(['a', 'b']) }, '{"tags":["a","b"]}'],
    [
      'an Error',
      new TypeError('no', { cause: new Error('why') }),
      '{"name":"TypeError","message":"no","cause":{"name":"Error","message":"why"}}',
    ],
    [
      'an Error with fields',
      Object.assign(new Error('no'), { code: 'E' }),
      '{"name":"Error","message":"no","code":"E"}',
    ],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a URL', new URL('https://a.b/c'), '"https://a.b/c"'],
    ['a Buffer', Buffer.from([0, 255]), '"AP8="'],
    ['bytes', { b: new Uint8Array([0, 255]) }, '{"b":"AP8="}'],
    ['an ArrayBuffer', new Uint8Array([0, 255]).buffer, '"AP8="'],
    ['an embedding', new Float32Array([0.5, 1]), '[0.5,1]'],
    ['BigInts', new BigInt64Array([2n ** 62n]), '[4611686018427387904]'],
    ['a BigInt', { id: 2n ** 64n }, '{"id":18446744073709551616}'],
    ['a toJSON', { toJSON: () => new Set([1]) }, '[1]'],
    ['an object of a class with fields', new User(), '{"name":"Ada"}'],
    ['an empty object', {}, '{}'],
    ['a box', Object(7), '7'],
    ["a RegExp's match", /(b)(?<c>c)/.exec('abc'), '["bc","b","c"]'],
    ['a list with fields of its own', { rows: Object.assign([1, 2n], { columns: ['a'] }) }, '{"rows":[1,2]}'],
    ['a field under a symbol beside others', { a: 1, [Symbol('meta')]: 2 }, '{"a":1}'],
    ['an empty object without a prototype', { a: Object.create(null) }, '{"a":{}}'],
  ])('that is %s is stored by a rule', (_what, value, json) => {
    expect(valueJson(value)).toBe(json);
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  it.each<[string, unknown, string]>([
    ['NaN', { mean: [Number.NaN] }, 'NaN at mean[0]'],
    ['Infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['a function', { f: () => 1 }, 'a function at f'],
    ['a symbol', [Symbol('s')], 'a symbol at [0]'],
    ['a promise', { p: Promise.resolve(1) }, 'class Promise at p; await it'],
    ['an object of a class that hides all', new Vault(), 'class Vault'],
    ['a WeakMap', new WeakMap(), 'class WeakMap'],
    ['Headers', new Headers(), 'class Headers'],
    ['an object of symbols', { [Symbol('a')]: 1 }, 'an object whose keys are symbols (Symbol(a))'],
    ['an object of symbols within', { list: [new Set([{ [Symbol('a')]: 1 }])] }, 'symbols (Symbol(a)) at list[0][0]'],
    ['an object of hidden fields', Object.defineProperty({}, 'a', { value: 1 }), 'keys are not enumerable (a)'],
    ['a Map with keys that are no texts', new Map([[{}, 1]]), 'a Map whose keys'],
    ['an invalid date', new Date(Number.NaN), 'an invalid date'],
    ['a circle', circle, 'contains itself'],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('not me');
        },
      },
      'not me',
    ],
  ])('that is %s is refused by name', (_what, value, message) => {
    expect(() => valueJson(value)).toThrow(NotJsonError);
    expect(() => valueJson(value)).toThrow(message);
  });
});

describe('a number', () => {
  it.each(['9007199254740993', '-12345678901234567890', '123456789012345678901234567890'])(
    'with the digits %s keeps them',
    (digits) => {
      expect(toJson(parseJson(`{"a":[${digits}]}`))).toBe(`{"a":[${digits}]}`);
      expect(toJson(parseToWrite(`{"a":[${digits}]}`))).toBe(`{"a":[${digits}]}`);
      expect(parseJson(digits)).toBe(BigInt(digits));
    },
  );

  it.each(['1', '1.5', '9007199254740991', '1e21', '"12345678901234567890"'])('%s is an ordinary one', (text) => {
    expect(parseJson(text)).toBe(JSON.parse(text));
  });

  it('comes back as the type that was written, if JavaScript wrote it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = JSON.stringify(value);
        if (!/^-?\d{22}/.test(text)) expect(parseJson(text)).toBe(JSON.parse(text));
      }),
    );
  });

  it('with more digits after the point than JavaScript has keeps them where it is only written again', () => {
    expect(toJson(parseToWrite('[0.12345678901234567890]'))).toBe('[0.12345678901234567890]');
  });

  it.each([parseJson, parseToWrite])('beyond all of JavaScript is refused', (parse) => {
    expect(() => parse('{"a":1e400}')).toThrow(RangeError);
    expect(() => parse('{"a":-1e400}')).toThrow('got -1e400');
  });
});
