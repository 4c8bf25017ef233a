import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';
import { perSecond, waits, workers } from './limit-runs.ts';

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

it('goes on within seconds of a resume where half of the answers of S3 take up to 5 s', async () => {
  const took: number[] = [];
  for (let seed = 1; seed <= 9; seed++) {
    const resumeMs = 22_000 + 137 * seed;
    const { history, endedAt, tookMs } = await simulate({
      task: waits,
      items: Array.from({ length: 2_000 }, () => ({ ms: 200 })),
      seed,
      workers,
      options: { limits: { rate: perSecond(40) }, timeoutMs: 5_000 },
      wait: false,
      steer: [
        { afterMs: 10_000, act: 'pause' },
        { afterMs: resumeMs, act: 'resume' },
      ],
      faults: { odds: { 's3-slow': 0.5 }, fromMs: 8_000, forMs: 60_000 },
      cancelAfterMs: 60_000,
    });
    const resumedAt = endedAt - tookMs + resumeMs;
    const starts = history.calls.map(({ startedAt }) => startedAt);
    expect(starts.filter((at) => at > resumedAt - 7_000 && at < resumedAt)).toEqual([]);
    took.push(Math.min(...starts.filter((at) => at >= resumedAt)) - resumedAt);
  }
  const inOrder = took.toSorted((a, b) => a - b);
  expect(inOrder[4]).toBeLessThan(9_000);
  expect(inOrder.at(-1)).toBeLessThan(20_000);
});

it('gives all of a limit that is raised within 5 s, also where it was lowered and had as many seats shortly before', async () => {
  const { history, endedAt, tookMs } = await simulate({
    task: waits,
    items: Array.from({ length: 4_000 }, () => ({ ms: 1_500 })),
    workers,
    options: { limits: { maxConcurrency: 400 }, timeoutMs: 5_000 },
    wait: false,
    steer: [
      { afterMs: 4_000, act: { maxConcurrency: 3 } },
      { afterMs: 14_000, act: { maxConcurrency: 300 } },
    ],
    cancelAfterMs: 22_000,
  });
  const fullAt = endedAt - tookMs + 14_000 + 5_000;
  const atOnce = history.calls.filter(({ startedAt, endedAt: end = 0 }) => startedAt <= fullAt && end > fullAt).length;
  expect(atOnce).toBe(300);
});

it.each([
  ['a worker that is called sees the pause still', 1, 11],
  ['for ever', 1, 32],
  ['two workers', 2, 29],
  ['the bell finds the seat of who sees the pause still', 2, 15],
  ['five workers', 5, 38],
])(
  'goes on within 3 s of the last resume where it was paused and resumed six times in seconds: %s',
  async (_, count, seed) => {
    const steer: Array<{ afterMs: number; act: 'pause' | 'resume' }> = [];
    let at = 1_500 + 53 * seed;
    for (let n = 0; n < 6; n++) {
      steer.push({ afterMs: at, act: 'pause' });
      at += 50 + 70 * n + 31 * (seed % 7);
      steer.push({ afterMs: at, act: 'resume' });
      at += 60 + 97 * (seed % 11);
    }
    const { history, endedAt, tookMs } = await simulate({
      task: waits,
      items: Array.from({ length: 2_000 }, () => ({ ms: 100 })),
      seed,
      workers: count,
      options: { limits: { rate: perSecond(40) }, timeoutMs: 5_000 },
      wait: false,
      steer,
      cancelAfterMs: 20_000,
    });
    const resumedAt = endedAt - tookMs + (steer.at(-1)?.afterMs ?? 0);
    const next = history.calls.find(({ startedAt }) => startedAt >= resumedAt)?.startedAt ?? Number.POSITIVE_INFINITY;
    expect(next - resumedAt).toBeLessThan(3_000);
  },
);
