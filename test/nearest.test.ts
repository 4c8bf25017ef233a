import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../src/nearest.ts';

describe('nearestName', () => {
  const tasks = ['http', 'say-after', 'file', 'database', 'cpu'];

  it.each([
    ['htp', 'http'],
    ['htttp', 'http'],
    ['HTTP', 'http'],
    ['hptt', 'http'],
    ['say-afetr', 'say-after'],
    ['sayafter', 'say-after'],
    ['databse', 'database'],
  ])('takes "%s" for "%s"', (typed, meant) => {
    expect(nearestName(typed, tasks)).toBe(meant);
  });

  it.each(['', 'kubernetes', 'xyz'])('suggests nothing for "%s"', (typed) => {
    expect(nearestName(typed, tasks)).toBeUndefined();
  });

  it('suggests nothing when there is nothing', () => {
    expect(nearestName('http', [])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it('is zero for equal texts only, the same both ways, and at most the longer text', () => {
    const text = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
