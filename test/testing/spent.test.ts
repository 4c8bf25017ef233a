import { expect, it } from 'vitest';
import { z } from 'zod';
import { TaskError } from '../../src/task/errors.ts';
import type { JobLimits } from '../../src/task/job-limits.ts';
import { defineTask } from '../../src/task/task.ts';
import { type SimulationOptions, simulate } from '../../src/testing/simulate.ts';

/** Each call costs a cent, also one that fails; each third item succeeds with its second call only. */
const task = defineTask({
  description: 'A call that costs',
  input: z.number(),
  example: 1,
  run: async (n, { used, attempt }) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    used({ usd: 0.01 });
    if (n % 3 === 0 && attempt === 1) throw new TaskError('once more', { code: 'Busy', retryable: true });
    return n;
  },
});

const rate = { limit: 500, perMs: 1_000 };
const pause = [
  { afterMs: 1_500, act: 'pause' },
  { afterMs: 15_000, act: 'resume' },
] as const;

/** A job of 6,000 such items. */
const job: SimulationOptions = {
  task,
  items: Array.from({ length: 6_000 }, (_item, n) => n),
  workers: 3,
  options: { timeoutMs: 5_000, attempts: 3, perWorker: 100 },
  wait: false,
};
const some: ReadonlyArray<readonly [string, JobLimits, Partial<SimulationOptions>]> = [
  ['pauses', {}, { steer: pause }],
  ['pauses, with limits', { rate }, { steer: pause }],
  ['is given limits', {}, { steer: [{ afterMs: 1_500, act: { rate: '500/s' } }] }],
  ['loses its limits', { rate }, { steer: [{ afterMs: 5_000, act: { rate: null } }] }],
  ['is cancelled', {}, { cancelAfterMs: 2_500 }],
];

it.each(some)('counts every dollar that calls said they cost, where the job %s', async (_, limits, more) => {
  const { summary, history } = await simulate({ ...job, ...more, options: { ...job.options, limits } });
  const told = history.calls.filter(({ end }) => end === 'returned' || end === 'threw').length;
  expect(told).toBeGreaterThan(500);
  expect(summary.totals.nanoUsd / 1e7).toBe(told);
});

it.each([1, 2, 3, 4, 5, 6])(
  'counts no dollar twice, while processes die and messages come twice: seed %i',
  async (seed) => {
    const { summary, history } = await simulate({
      ...job,
      seed,
      steer: pause,
      faults: {
        odds: { kill: 0.2, freeze: 0.1, duplicate: 0.3, 's3-slow': 0.1, deadline: 0.3 },
        forMs: 60_000,
        longestMs: 30_000,
      },
    });
    expect(summary.end).toBe('done');
    expect(summary.totals.nanoUsd / 1e7).toBeGreaterThan(6_000);
    expect(summary.totals.nanoUsd / 1e7).toBeLessThanOrEqual(history.calls.length);
  },
);
