import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bitmap } from '../../src/format/bitmap.ts';

it('holds what was added, through its text, and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.nat(999)), (size, numbers) => {
      const wanted = new Set(numbers.filter((n) => n < size));
      const bitmap = Bitmap.of(size);
      for (const n of wanted) bitmap.add(n);
      const read = Bitmap.of(size, bitmap.encode());
      expect(read.size).toBe(wanted.size);
      for (let n = 0; n < size; n++) expect(read.has(n)).toBe(wanted.has(n));
    }),
    { numRuns: 50 },
  );
});
