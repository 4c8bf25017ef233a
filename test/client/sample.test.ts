import { expect, it } from 'vitest';
import { drawLines } from '../../src/client/sample.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';

async function* blocks(count: number, perBlock: number) {
  for (let at = 0; at < count; at += perBlock) {
    const lines = Array.from({ length: Math.min(perBlock, count - at) }, (_, n) => `${at + n}\n`);
    yield { bytes: Buffer.from(lines.join('')), items: lines.length };
  }
}

it('takes all lines in their order where there are no more than are wanted', async () => {
  const { lines, items, bytes } = await drawLines(blocks(7, 3), 10, seededRandom(1));
  expect([lines, items, bytes]).toEqual([['0', '1', '2', '3', '4', '5', '6'], 7, 14]);
});

it('draws each line with the same odds, wherever it stands', async () => {
  const random = seededRandom(5);
  const drawn = new Array<number>(40).fill(0);
  for (let round = 0; round < 2_000; round++) {
    const { lines } = await drawLines(blocks(40, 7), 10, random);
    expect(new Set(lines).size).toBe(10);
    for (const line of lines) drawn[Number(line)] = (drawn[Number(line)] ?? 0) + 1;
  }
  // 500 expected, with a deviation of 19.
  for (const times of drawn) expect(Math.abs(times - 500)).toBeLessThan(100);
});
