import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';

it('goes on with a job that is resumed while a turn that saw its pause is on its way', async () => {
  const task = defineTask({
    description: 'A call',
    input: z.number(),
    example: 1,
    run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), 200)),
  });
  const { tookMs } = await simulate({
    task,
    items: Array.from({ length: 40 }, (_, n) => n),
    options: { limits: { maxConcurrency: 2 } },
    wait: false,
    seed: 2990,
    faults: { odds: { 's3-slow': 0.5 } },
    steer: [
      { afterMs: 1_500, act: 'pause' },
      { afterMs: 4_490, act: 'resume' },
    ],
  });
  // The next turn of a job that pauses is due after 900 s.
  expect(tookMs).toBeLessThan(120_000);
});
