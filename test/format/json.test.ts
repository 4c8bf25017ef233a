import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJson, toJsonLines } from '../../src/format/json.ts';

/** More levels than `JSON.stringify` can write. */
const depth = 20_000;

function nested(value: unknown): unknown {
  let outer: unknown = value;
  for (let level = 0; level < depth; level++) outer = [outer];
  return outer;
}

/** What was written of the value within all levels. */
const innermost = (json: string | undefined): string | undefined => json?.slice(depth, -depth);

describe('toJson', () => {
  it('writes what is too deep for JSON.stringify', () => {
    const json = `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
    const value: unknown = JSON.parse(json);
    expect(() => JSON.stringify(value)).toThrow(RangeError);
    expect(toJson(value) === json).toBe(true);
  });

  it('writes the same as JSON.stringify within a deep value', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withNullPrototype: true, withBoxedValues: true, withSparseArray: true }),
        (value) => {
          expect(innermost(toJson(nested(value)))).toBe(JSON.stringify([value]).slice(1, -1));
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([
    ['a key "__proto__"', JSON.parse('{"__proto__":{"a":1}}')],
    ['lone surrogates', ['\ud800', { '\udc00': 1 }]],
    ['elements that JSON has nothing for', [undefined, () => 1, { a: undefined, b: 2 }]],
    ['a toJSON', { a: { toJSON: (key: string) => ({ key }) } }],
  ])('writes %s the same as JSON.stringify within a deep value', (_what, value) => {
    expect(innermost(toJson(nested(value)))).toBe(JSON.stringify(value));
  });

  it('refuses a deep value that contains itself', () => {
    const value: unknown[] = [];
    value.push(nested(value));
    expect(() => toJson(value)).toThrow(TypeError);
  });

  it('has nothing for undefined', () => {
    expect(toJson(undefined)).toBeUndefined();
  });
});

describe('toJsonLines', () => {
  it('writes a value a line', () => {
    expect(toJsonLines([{ a: 1 }, 'x', undefined])).toBe('{"a":1}\n"x"\nnull\n');
  });
});
