import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalNumber, exactNumber } from '../../../src/connectors/dynamodb/number.ts';
import { decodeDocument, encodeDocument, itemBytes, keyName } from '../../../src/connectors/dynamodb/value.ts';

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
      big: { $number: '12345678901234567890.123' },
      bytes: { $binary: 'AQID' },
      texts: { $stringSet: ['a', 'b'] },
      numbers: { $numberSet: ['1', '9007199254740993'] },
      blobs: { $binarySet: ['AQ=='] },
    };
    const attributes = encodeDocument(document);
    expect(attributes).toMatchObject({
      text: { S: 'Ada' },
      number: { N: '-1.5' },
      yes: { BOOL: true },
      nothing: { NULL: true },
      list: { L: [{ N: '1' }, { S: 'two' }, { L: [{ NULL: true }] }] },
      map: { M: { deep: { M: { deeper: { BOOL: false } } } } },
      big: { N: '12345678901234567890.123' },
      bytes: { B: Buffer.from([1, 2, 3]) },
      texts: { SS: ['a', 'b'] },
      numbers: { NS: ['1', '9007199254740993'] },
    });
    expect(decodeDocument(attributes)).toEqual(document);
  });

  it('comes back as it was, whatever JSON it is', () => {
    const wholeNumbers = fc.maxSafeInteger();
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        wholeNumbers,
        fc.double({ min: -1e15, max: 1e15, noNaN: true }).filter((n) => n === 0 || Math.abs(n) > 1e-100),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$map', '$number', '__proto__')), tie('value')),
      ),
    })).value;
    const withoutMarkers = fc
      .dictionary(fc.string(), json)
      .filter((value) => !/\$(map|number)/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(withoutMarkers, (document) => {
        expect(decodeDocument(encodeDocument(document))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it('keeps a map that only looks like a marker', () => {
    const attributes = { odd: { M: { $number: { S: 'seven' } } } };
    expect(decodeDocument(attributes)).toEqual({ odd: { $map: { $number: 'seven' } } });
    expect(encodeDocument(decodeDocument(attributes))).toEqual(attributes);
  });

  it.each([
    ['a number beyond 2^53', 2 ** 53, 'write {"$number": "…"}'],
    ['a number beyond DynamoDB', { $number: '1e126' }, 'a magnitude from 1E-130 to 1E125'],
    ['39 digits', { $number: `1${'0'.repeat(37)}1` }, 'at most 38 digits'],
    ['no number', { $number: 'NaN' }, 'expected a decimal number, got "NaN"'],
    ['no base64', { $binary: 'AQI' }, 'expected base64'],
    ['an empty set', { $stringSet: [] }, 'expected a list with an element'],
    ['half of a character', '\ud83d', 'half of a character'],
    ['33 levels', JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`), 'at most 32 levels'],
  ])('is refused for %s', (_what, value, message) => {
    expect(() => encodeDocument({ value })).toThrow(message);
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
    ['9007199254740992', undefined],
    ['0.1000000000000000055511151231257827', undefined],
    ['1E+100', undefined],
  ])('%s is the JavaScript number %s', (text, value) => {
    expect(exactNumber(text)).toBe(value);
  });

  it('has one name for all its forms, as keys have', () => {
    expect(['10', '1e1', '10.0', '010'].map(canonicalNumber)).toEqual(Array(4).fill('1e1'));
    expect(keyName({ b: { N: '1.0' }, a: { S: 'x' } })).toBe(keyName({ a: { S: 'x' }, b: { N: '1' } }));
    expect(keyName({ a: { S: '1' } })).not.toBe(keyName({ a: { N: '1' } }));
  });
});
