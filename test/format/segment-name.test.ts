import { expect, it } from 'vitest';
import { segmentGen, segmentInPart, segmentKey, segmentName, segmentNanoUsd } from '../../src/format/paths.ts';

const at = { gen: 1_000_001, writer: '0f3a5c9e-77b1', k: 12, rows: 34 };
const keyOf = (name: string): string => segmentKey('j', { part: 2, chunk: 7 }, name);
/** How versions that knew of no dollars read the key of a segment. */
const readBefore = (key: string) => /\/(\d{4})\/(\d+)[^/]*?(?:r(\d+))?(?:~(\d+))?\.ndjson$/.exec(key)?.slice(1);

it.each([
  [at, '1000001-0f3a5c9e-77b1-12r34', 0],
  [{ ...at, nanoUsd: 0 }, '1000001-0f3a5c9e-77b1-12r34', 0],
  [{ ...at, waitMs: 4_200 }, '1000001-0f3a5c9e-77b1-12r34~5', 0],
  [{ ...at, nanoUsd: 10_000_000 }, '1000001-0f3a5c9e-77b1-12u10000000r34', 10_000_000],
  [{ ...at, nanoUsd: 3e15, waitMs: 4_200 }, '1000001-0f3a5c9e-77b1-12u3000000000000000r34~5', 3e15],
])('the name of a segment tells rows, dollars, and wait, and older versions read it: %j', (of, name, nanoUsd) => {
  expect(segmentName(of)).toBe(name);
  const waitMs = 'waitMs' in of ? 5_000 : 0;
  expect(segmentInPart(keyOf(name))).toEqual({ chunk: 7, gen: at.gen, rows: 34, waitMs });
  expect(segmentGen(name)).toBe(at.gen);
  expect(segmentNanoUsd(name)).toBe(nanoUsd);
  expect(readBefore(keyOf(name))).toEqual(['0007', '1000001', '34', waitMs === 0 ? undefined : '5']);
});

it('finds no dollars in the names of older versions', () => {
  for (const name of ['0000000-w-0', '0000001-0f3a5c9e-77b1-3', '0000001-u12r5-3r8', '0000001-w-3r8~60'])
    expect(segmentNanoUsd(name)).toBe(0);
});
