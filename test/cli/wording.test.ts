import { describe, expect, it } from 'vitest';
import { count, counted, decimal, dollars, duration, percent, rate } from '../../src/cli/wording.ts';

describe('wording', () => {
  it.each([
    [0, '0 ms'],
    [41.4, '41 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [4_240, '4.2 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
    [86_400_000 - 1, '1 d 0 h'],
    [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
  ])('reads %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it.each([
    [0.05, '0.1/s'],
    [4, '4/s'],
    [4.52, '4.5/s'],
    [9.96, '10/s'],
    [1_234.5, '1,235/s'],
  ])('reads %d items a second as %s', (perSecond, text) => {
    expect(rate(perSecond)).toBe(text);
  });

  it.each([
    [0, 0, '0%'],
    [0, 10, '0%'],
    [1, 1_000, '<1%'],
    [335, 1_000, '33%'],
    [999, 1_000, '99%'],
    [99_999, 100_000, '99%'],
    [1_000, 1_000, '100%'],
  ])('reads %d of %d as %s', (part, total, text) => {
    expect(percent(part, total)).toBe(text);
  });

  it.each([
    [0, '$0'],
    [0.000_000_001, 'under $0.00000001'],
    [0.001_234, '$0.0012'],
    [0.05, '$0.05'],
    [0.999, '$1.00'],
    [1_234.5, '$1,234.50'],
  ])('reads %d dollars as %s', (usd, text) => {
    expect(dollars(usd)).toBe(text);
  });

  it('puts the noun in the form of the number', () => {
    expect([counted(1, 'item'), counted(0, 'item'), counted(1_000, 'retry', 'retries')]).toEqual([
      '1 item',
      '0 items',
      '1,000 retries',
    ]);
  });

  it('separates thousands and shortens factors', () => {
    expect([count(1_000_000), decimal(1.44), decimal(52.4)]).toEqual(['1,000,000', '1.4', '52']);
  });
});
