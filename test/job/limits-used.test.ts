import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';

const callMs = 200;
const task = defineTask({
  description: 'A call',
  input: z.number(),
  example: 1,
  run: (n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), callMs)),
});

/** Runs a job of so many seconds of its rate on five workers; resolves to the part of the rate that was used, and when calls began. */
async function used(perSecond: number, seconds: number, seed: number) {
  const items = Array.from({ length: perSecond * seconds }, (_, n) => 1_000_000 + n);
  const options = { limits: { rate: { limit: perSecond, perMs: 1_000 } } };
  const { history } = await simulate({ task, items, options, seed, workers: 5, wait: false });
  const starts = history.calls.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  const [first = 0] = starts;
  const last = (starts.at(-1) ?? 0) + callMs;
  const workers = new Set(history.calls.filter(({ startedAt }) => startedAt < first + 1_000).map(({ life }) => life));
  return { part: (1_000 * seconds) / (last - first), atFirst: workers.size };
}

it.each([
  [2, 300],
  [3, 700],
  [5, 1_100],
])('%i seats begin together, and end together, in a job of %i calls a second', async (seats, perSecond) => {
  const { part, atFirst } = await used(perSecond, 30, seats);
  expect(atFirst).toBe(seats);
  expect(part).toBeGreaterThan(0.98);
});

it('a job of over a minute keeps its seats to the end', async () => {
  const { part } = await used(600, 75, 1);
  expect(part).toBeGreaterThan(0.98);
});
