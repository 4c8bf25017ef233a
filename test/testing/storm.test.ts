import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
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

describe('a job beside a storm', () => {
  it(`of ${asked} calls a second of which the downstream admits ${admitted} wastes few and uses most`, {
    timeout: 240_000,
  }, async () => {
    const downstream = new Downstream();
    const task = defineTask({
      description: 'Calls a downstream that refuses for a time',
      input: z.object({}),
      example: {},
      run: async () => {
        const refused = downstream.refuses(Date.now());
        await new Promise((resolve) => setTimeout(resolve, refused ? 20 : 200));
        if (refused) throw new TaskError('too many', { code: 'HTTP429', status: 429, retryable: true });
        return 1;
      },
    });
    const items = new Array(asked * 5 + (admitted * stormMs) / 1_000 + asked).fill({});
    const options = { limits: { rate: { limit: asked, perMs: 1_000 } }, timeoutMs: 5_000 };
    const { rows } = await simulate({ task, items, workers: 5, options, wait: false });
    expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
    const refused = downstream.calls.filter((call) => call.refused).length;
    const used = (downstream.calls.length - refused) / ((admitted * stormMs) / 1_000);
    expect(refused / downstream.calls.length).toBeLessThanOrEqual(0.02);
    expect(used).toBeGreaterThanOrEqual(0.9);
  });
});
