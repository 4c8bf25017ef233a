import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapBounded } from '../src/concurrency.ts';

describe('mapBounded', () => {
  it('keeps the order of the items and never runs more than its limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (turns, limit) => {
        let running = 0;
        let most = 0;
        const results = await mapBounded(turns, limit, async (count, index) => {
          most = Math.max(most, ++running);
          for (let turn = 0; turn <= count; turn++) await Promise.resolve();
          running--;
          return index;
        });
        expect(results).toEqual(turns.map((_, index) => index));
        expect(most).toBeLessThanOrEqual(limit);
        expect(most).toBe(Math.min(limit, turns.length));
      }),
      { numRuns: 50 },
    );
  });

  it('starts nothing more after the first failure, awaits what runs, and throws that failure', async () => {
    const started: number[] = [];
    let ended = 0;
    const work = mapBounded([0, 1, 2, 3, 4, 5], 2, async (item) => {
      started.push(item);
      if (item === 0) throw new Error('first');
      await new Promise((resolve) => setImmediate(resolve));
      ended++;
    });
    await expect(work).rejects.toThrow('first');
    expect(started).toEqual([0, 1]);
    expect(ended).toBe(1);
  });
});
