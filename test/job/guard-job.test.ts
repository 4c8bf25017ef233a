import { describe, expect, it } from 'vitest';
import { campaignTask } from '../../src/testing/scenario.ts';
import { simulate } from '../../src/testing/simulate.ts';

const items = Array.from({ length: 120 }, (_, n) => ({ ms: 100 + ((n * 37) % 900), act: 'ok', times: 1 }));
const job = { task: campaignTask, items, workers: 3, options: { perWorker: 10 }, followed: false };

describe('a job that nobody follows', () => {
  it.each([2, 4, 7, 12, 16, 20, 23, 25, 37, 39])(
    'goes on within a minute when the processes of its turns die at their first requests, seed %i',
    async (seed) => {
      const { rows, tookMs, history } = await simulate({
        ...job,
        seed,
        faults: { odds: { 'kill-at-call': 0.1 }, forMs: 10_000 },
      });
      const turns = history.lives.filter(({ role }) => role === 'tick');
      expect(turns.filter(({ killedAt }) => killedAt !== undefined).length).toBeGreaterThan(0);
      expect(rows.filter(({ status }) => status === 'succeeded')).toHaveLength(items.length);
      expect(tookMs).toBeLessThan(60_000);
    },
  );
});
