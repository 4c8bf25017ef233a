import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { simulate } from '../../src/testing/simulate.ts';

const asked = 2_000;
const admitted = 800;
const stormMs = 90_000;

/** A downstream that takes everything, but for 90 s from its 5th second on only 800 calls a second, a tenth of a second ahead. */
class Downstream {
  readonly calls: Array<{ readonly at: number; readonly refused: boolean }> = [];
  #from: number | undefined;
  #tokens = 0;
  #filledAt = 0;

  refuses(now: number): boolean {
    this.#from ??= now + 5_000;
    const gained = ((now - this.#filledAt) * admitted) / 1_000;
    this.#tokens = Math.min(admitted / 10, Math.max(0, this.#tokens) + gained);
    this.#filledAt = now;
    const isStorm = now >= this.#from && now < this.#from + stormMs;
    const refused = isStorm && this.#tokens < 1;
    if (!refused) this.#tokens--;
    if (isStorm) this.calls.push({ at: now - this.#from, refused });
    return refused;
  }
}

describe('a downstream that asks for a rest', () => {
  it('is left alone by the whole job, also by workers that it has not refused', async () => {
    const chunk = 1_000;
    let from: number | undefined;
    const starts: number[] = [];
    const refused: number[] = [];
    const task = defineTask({
      description: 'Is refused for a time where one of two workers calls',
      input: z.object({ n: z.number() }),
      example: { n: 1 },
      run: async ({ n }) => {
        from ??= Date.now();
        const at = Date.now() - from;
        starts.push(at);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (at < 4_000 || at > 6_000 || Math.floor(n / chunk) % 4 > 1) return 1;
        refused.push(at);
        throw new TaskError('later', { code: 'HTTP429', status: 429, retryable: true, retryAfterMs: 15_000 });
      },
    });
    const items = Array.from({ length: 16 * chunk }, (_, n) => ({ n }));
    const options = { limits: { rate: { limit: 1_000, perMs: 1_000 } }, timeoutMs: 5_000 };
    const { rows } = await simulate({ task, items, workers: 4, options, wait: false });
    expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
    const first = Math.min(...refused);
    // Told at the next look at the control, and seen by the others at theirs.
    expect(starts.filter((at) => at > first + 5_000 && at < first + 15_000)).toEqual([]);
    expect(starts.some((at) => at > first + 15_000)).toBe(true);
  });
});

describe('a job beside a storm', () => {
  it.each([2, 4, 5])(
    `of ${asked} calls a second of which ${admitted} are admitted wastes few and uses most, seed %i`,
    async (seed) => {
      const downstream = new Downstream();
      const random = seededRandom(seed);
      const task = defineTask({
        description: 'Calls a downstream that refuses for a time',
        input: z.object({}),
        example: {},
        run: async () => {
          // Else the first of the workers would come first each time.
          await new Promise((resolve) => setTimeout(resolve, 10 * random()));
          const refused = downstream.refuses(Date.now());
          await new Promise((resolve) => setTimeout(resolve, refused ? 20 : 200));
          if (refused) throw new TaskError('too many', { code: 'HTTP429', status: 429, retryable: true });
          return 1;
        },
      });
      const items = new Array(asked * 5 + (admitted * stormMs) / 1_000 + asked).fill({});
      const options = { limits: { rate: { limit: asked, perMs: 1_000 } }, timeoutMs: 5_000 };
      const { rows } = await simulate({ task, items, workers: 5, options, seed, wait: false });
      expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
      const refused = downstream.calls.filter((call) => call.refused).length;
      const used = (downstream.calls.length - refused) / ((admitted * stormMs) / 1_000);
      expect(refused / downstream.calls.length).toBeLessThanOrEqual(0.02);
      // It ends within the storm: seats that are done leave what they were brought to.
      expect(used).toBeGreaterThanOrEqual(0.95);
    },
  );
});
