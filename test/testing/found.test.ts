import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';

const task = defineTask({
  description: 'Answers after a while',
  input: z.object({ ms: z.number() }),
  example: { ms: 1 },
  run: ({ ms }) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
});
const items = (count: number, ms: number) => Array.from({ length: count }, () => ({ ms }));

/** What campaigns found, each as the smallest plan that shows it. */
describe('found by campaigns', () => {
  it.each([1, 2, 3, 4, 5])(
    'a clock that is set while calls run makes no digest that nobody can read, seed %i',
    async (seed) => {
      const { rows, summary, history } = await simulate({
        task,
        items: items(60, 4_000),
        seed,
        options: { concurrency: 5 },
        faults: { odds: { 'clock-jump': 1 } },
      });
      expect(history.countFaults().get('clock-jump')).toBeGreaterThan(0);
      expect(rows.map(({ status }) => status)).toEqual(items(60, 0).map(() => 'succeeded'));
      expect(summary.totals.succeeded).toBe(60);
    },
  );
});
