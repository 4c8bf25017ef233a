import { expect, it, vi } from 'vitest';
import { z } from 'zod';

/** What is to become of a read of a turn's record. */
let inTheWay: (() => Promise<void>) | undefined;

vi.mock('../../src/folder/read.ts', async (original) => {
  const real = await original<typeof import('../../src/folder/read.ts')>();
  const readTick: typeof real.readTick = async (...of) => {
    await inTheWay?.();
    return real.readTick(...of);
  };
  return { ...real, readTick };
});
const { defineTask } = await import('../../src/task/task.ts');
const { simulate } = await import('../../src/testing/simulate.ts');

const task = defineTask({
  description: 'A call',
  input: z.number(),
  example: 1,
  run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), 200)),
});

it.each([
  ['hang', () => new Promise<void>((resolve) => setTimeout(resolve, 30_000))],
  ['fail', () => Promise.reject(new Error('no record'))],
] as const)(
  'a job that stops at some count keeps its pace, and pauses, where reads of its turns %s',
  async (_, act) => {
    let from: number | undefined;
    inTheWay = () => {
      from ??= Date.now();
      const isIn = Date.now() > from + 3_000 && Date.now() < from + 5_000;
      return isIn ? act() : Promise.resolve();
    };
    const { history } = await simulate({
      task,
      items: Array.from({ length: 3_000 }, (_item, n) => n),
      workers: 2,
      options: { limits: { rate: { limit: 100, perMs: 1_000 }, toleratedFailureCount: 1_000 }, attempts: 1 },
      wait: false,
      steer: [
        { afterMs: 14_000, act: 'pause' },
        { afterMs: 20_000, act: 'resume' },
      ],
    });
    const first = Math.min(...history.calls.map(({ startedAt }) => startedAt));
    const inSecond = (n: number): number =>
      history.calls.filter(({ startedAt: at }) => at >= first + 1_000 * n && at < first + 1_000 * (n + 1)).length;
    expect(Math.min(...[3, 4, 5, 6, 7, 8, 9, 10, 11].map(inSecond))).toBeGreaterThanOrEqual(90);
    expect(inSecond(17)).toBe(0);
  },
);

it('a worker that has nothing left to do ends, where a read of a turn hangs', async () => {
  let from: number | undefined;
  let hung = 0;
  inTheWay = () => {
    from ??= Date.now();
    if (Date.now() < from + 2_000 || Date.now() > from + 3_000) return Promise.resolve();
    hung++;
    return new Promise<void>((resolve) => setTimeout(resolve, 60_000));
  };
  const { history } = await simulate({
    task,
    items: Array.from({ length: 600 }, (_item, n) => n),
    workers: 2,
    options: { limits: { toleratedFailureCount: 500 }, perWorker: 10, attempts: 1 },
    wait: false,
    followed: false,
  });
  const lastCall = history.calls.reduce((latest, { endedAt = 0 }) => Math.max(latest, endedAt), 0);
  const workers = history.lives.filter(({ role }) => role === 'worker');
  const lastWorker = workers.reduce((latest, { endedAt = Number.POSITIVE_INFINITY }) => Math.max(latest, endedAt), 0);
  expect(hung).toBeGreaterThan(0);
  expect(lastWorker - lastCall).toBeLessThan(5_000);
});
