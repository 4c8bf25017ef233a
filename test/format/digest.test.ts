import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDigests, countRow, type Digest, digestItems, emptyDigest } from '../../src/format/digest.ts';
import { decodeDigest, encodeDigest } from '../../src/format/digest-text.ts';
import type { Row } from '../../src/format/outcome.ts';

const attempts = fc.integer({ min: 1, max: 20 });
const durationMs = fc.integer({ min: 0, max: 240_000 });
const row: fc.Arbitrary<Row> = fc.oneof(
  fc.record({
    index: fc.nat(),
    status: fc.constant('succeeded' as const),
    value: fc.constant(1),
    attempts,
    durationMs,
  }),
  fc.record({
    index: fc.nat(),
    status: fc.constant('failed' as const),
    error: fc.record({
      code: fc.integer({ min: 0, max: 40 }).map((n) => (n === 40 ? '__proto__' : `Code${n}`)),
      message: fc.constant('m'),
      retryable: fc.boolean(),
    }),
    attempts,
    durationMs,
  }),
  fc.record({ index: fc.nat(), status: fc.constant('cancelled' as const), attempts: fc.integer({ min: 0, max: 20 }) }),
);
const callMs = (of: Row): number => (of.status === 'cancelled' ? 0 : of.durationMs * of.attempts);
const count = (rows: readonly Row[]): Digest =>
  rows.reduce((sum, next) => countRow(sum, next, callMs(next)), emptyDigest);
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

describe('digest', () => {
  it('counts rows, and adds up the same whichever chunks the rows are in', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), fc.nat(40), (rows, cut) => {
        const whole = count(rows);
        const added = addDigests(count(rows.slice(0, cut)), count(rows.slice(cut)));
        expect({ ...added, codes: {} }).toEqual({ ...whole, codes: {} });
        for (const digest of [whole, added]) {
          expect(digestItems(digest)).toBe(rows.length);
          expect(sum(Object.values(digest.codes))).toBe(digest.failed);
          expect(Object.keys(digest.codes).length).toBeLessThanOrEqual(20);
          expect(sum(digest.histogram)).toBe(digest.succeeded + digest.failed);
          expect(decodeDigest(encodeDigest(digest))).toEqual(digest);
        }
      }),
    );
  });

  it('changes none of its inputs', () => {
    const before = structuredClone(emptyDigest);
    addDigests(emptyDigest, count([{ index: 0, status: 'succeeded', value: 1, attempts: 1, durationMs: 3 }]));
    expect(emptyDigest).toEqual(before);
  });

  it('takes less than 1.2 KB of ASCII with 20 long codes and a full chunk', () => {
    let digest = emptyDigest;
    for (let n = 0; n < 1_000; n++) {
      const code = `${'C'.repeat(38)}${String(n % 30).padStart(2, '0')}`;
      const error = { code, message: '', retryable: false };
      digest = countRow(
        digest,
        { index: n, status: 'failed', error, attempts: 20, durationMs: 240_000 - n * 240 },
        4_800_000,
      );
    }
    digest = addDigests(digest, { ...emptyDigest, invocations: 99, billedMs: 29_700_000, handOvers: 99 });
    const text = encodeDigest(digest);
    expect(Object.keys(digest.codes)).toHaveLength(20);
    expect(digest.codes['Other']).toBeGreaterThan(0);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(text.length).toBeLessThan(1_200);
  });

  it.each(['', 'x', '1,2,3;4;', '1,1,1,1,1,1,1,1,x;0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0;'])('refuses "%s"', (text) => {
    expect(() => decodeDigest(text)).toThrow(/^expected a digest/);
  });
});
