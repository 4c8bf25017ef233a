import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalNumber, numberValue } from '../../../src/connectors/dynamodb/number.ts';
import { decodeDocument, encodeDocument, itemBytes, keyName } from '../../../src/connectors/dynamodb/value.ts';
import { valueJson } from '../../../src/format/value.ts';

describe('a document', () => {
  it('becomes the attributes that DynamoDB names, and comes back', () => {
    const document = {
      text: 'Ada',
      empty: '',
      number: -1.5,
      yes: true,
      nothing: null,
      list: [1, 'two', [null]],
      map: { deep: { deeper: false } },
      big: 12345678901234567890123n,
      // Written as JSON writes it; an item that says all its digits has a BigInt.
      large: 2 ** 60,
      // What somebody's JSON is called must not matter to the library.
      constructor: { name: 'Set', constructor: 'Ferrari' },
    };
    const attributes = encodeDocument(document);
    expect(attributes).toMatchObject({
      text: { S: 'Ada' },
      number: { N: '-1.5' },
      yes: { BOOL: true },
      nothing: { NULL: true },
      list: { L: [{ N: '1' }, { S: 'two' }, { L: [{ NULL: true }] }] },
      map: { M: { deep: { M: { deeper: { BOOL: false } } } } },
      big: { N: '12345678901234567890123' },
      large: { N: '1152921504606847000' },
      constructor: { M: { name: { S: 'Set' }, constructor: { S: 'Ferrari' } } },
    });
    expect(decodeDocument(attributes)).toEqual({ ...document, large: 1152921504606847000n });
  });

  it('comes back as it was, whatever JSON it is', () => {
    const wholeNumbers = fc.maxSafeInteger();
    // That one name is refused.
    const names = fc
      .oneof(fc.string(), fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'S', 'N', 'M'))
      .filter((name) => name !== '__proto__');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        wholeNumbers,
        fc.double({ min: -1e15, max: 1e15, noNaN: true }).filter((n) => n === 0 || Math.abs(n) > 1e-100),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(names, tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(names, json), (document) => {
        expect(decodeDocument(encodeDocument(document))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it('is written with types where plain JSON has none, and comes back as it was', () => {
    const document = {
      text: { S: '' },
      number: { N: '1234567890.1234567890123456789' },
      bytes: { B: 'AQID' },
      yes: { BOOL: true },
      nothing: { NULL: true },
      texts: { SS: ['a', 'b'] },
      numbers: { NS: ['1', '9007199254740993'] },
      blobs: { BS: ['AQ=='] },
      list: { L: [{ N: '1' }, { M: { S: { S: 'deep' } } }] },
      empty: { M: {} },
    };
    const attributes = encodeDocument(document, 'dynamodb');
    expect(attributes).toMatchObject({ bytes: { B: Buffer.from([1, 2, 3]) }, blobs: { BS: [Buffer.from([1])] } });
    expect(decodeDocument(attributes, 'dynamodb')).toEqual(document);
    // The plain form of the same, as a row has it.
    expect(JSON.parse(valueJson(decodeDocument(attributes)))).toMatchObject({
      bytes: 'AQID',
      texts: ['a', 'b'],
      blobs: ['AQ=='],
      list: [1, { S: 'deep' }],
    });
    expect(valueJson(decodeDocument(attributes))).toContain('"number":1234567890.1234567890123456789');
    expect(valueJson(decodeDocument(attributes))).toContain('"numbers":[1,9007199254740993]');
  });

  it.each([
    ['a number beyond DynamoDB', 1e126, 'a magnitude from 1E-130 to 1E125'],
    ['39 digits', BigInt(`1${'0'.repeat(37)}1`), 'at most 38 digits'],
    ['a name that JavaScript would lose', JSON.parse('{"__proto__": 1}'), 'other than __proto__'],
    ['half of a character', '\ud83d', 'half of a character'],
    ['33 levels', JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`), 'at most 32 levels'],
  ])('is refused for %s', (_what, value, message) => {
    expect(() => encodeDocument({ value })).toThrow(message);
  });

  it.each([
    ['no type', 'Ada', 'expected a value with its type, one of S, N'],
    ['two types', { S: 'a', N: '1' }, 'expected a value with its type'],
    ['an unknown type', { X: 'a' }, 'expected a value with its type'],
    ['a number that is none', { N: 1 }, 'expected a text for N, got 1'],
    ['no digits', { N: 'NaN' }, 'expected a decimal number, got "NaN"'],
    ['no base64', { B: 'AQI' }, 'expected base64'],
    ['an empty set', { SS: [] }, 'expected a list with an element'],
    ['a list that is none', { L: 'a' }, 'expected a list for L'],
    ['a map that is none', { M: ['a'] }, 'expected M to be JSON'],
    ['a text for a truth', { BOOL: 'true' }, 'expected true or false for BOOL'],
    ['33 levels', JSON.parse(`${'{"L":['.repeat(33)}{"S":"a"}${']}'.repeat(33)}`), 'at most 32 levels'],
  ])('with types is refused for %s', (_what, value, message) => {
    expect(() => encodeDocument({ value }, 'dynamodb')).toThrow(message);
  });

  it('is measured as DynamoDB measures it', () => {
    // Names and texts by UTF-8, two digits a byte and one, three bytes for a list and one for each element.
    expect(itemBytes(encodeDocument({ pk: 'aé' }))).toBe(2 + 3);
    expect(itemBytes(encodeDocument({ n: 12345 }))).toBe(1 + 4);
    expect(itemBytes(encodeDocument({ l: [true, null] }))).toBe(1 + 3 + 2 + 2);
  });
});

describe('a number that was read', () => {
  it.each([
    ['1', 1],
    ['-0.5', -0.5],
    ['100', 100],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-12345678901234567890', -12345678901234567890n],
  ])('%s is the JavaScript number %s', (text, value) => {
    expect(numberValue(text)).toBe(value);
  });

  it.each(['0.1000000000000000055511151231257827', '1E+100'])('keeps the digits of %s in a row', (text) => {
    expect(valueJson(numberValue(text))).toBe(text);
  });

  it('has one name for all its forms, as keys have', () => {
    expect(['10', '1e1', '10.0', '010'].map(canonicalNumber)).toEqual(Array(4).fill('1e1'));
    expect(keyName({ b: { N: '1.0' }, a: { S: 'x' } })).toBe(keyName({ a: { S: 'x' }, b: { N: '1' } }));
    expect(keyName({ a: { S: '1' } })).not.toBe(keyName({ a: { N: '1' } }));
  });
});
