import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { limits as bounds } from '../../src/limits.ts';
import { TaskError } from '../../src/task/errors.ts';
import { defineTask } from '../../src/task/task.ts';
import { simulate } from '../../src/testing/simulate.ts';
import { type Limits, workers } from './limit-runs.ts';

/** Fails so many of a hundred items, and says that each call costs a cent. */
const failing = (ofHundred: number, ms = 200) =>
  defineTask({
    description: 'A call that may fail',
    input: z.number(),
    example: 1,
    run: async (n, { used }) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      used({ usd: 0.01 });
      if ((7 * n) % 100 < ofHundred) throw new TaskError('no', { code: 'No', retryable: false });
      return n;
    },
  });

interface Case {
  readonly limits: Limits;
  readonly failed: number;
  readonly isReached: (succeeded: number, failed: number) => boolean;
  /** Seconds until nobody starts any more. */
  readonly within: number;
}

it.each([
  ['a rate', { rate: { limit: 20, perMs: 1_000 } }],
  ['calls at once', { maxConcurrency: 5 }],
] as const)('a limited job goes on within two turns when its canary did well: %s', async (_, limits) => {
  const { history } = await simulate({
    task: failing(0, 50),
    items: Array.from({ length: 60 }, (_item, n) => n),
    workers,
    options: { limits: { canary: 20, ...limits }, attempts: 1 },
    wait: false,
  });
  const [canaryEnd, nextStart] = [history.calls[19]?.endedAt, history.calls[20]?.startedAt];
  expect((nextStart ?? Number.NaN) - (canaryEnd ?? 0)).toBeLessThanOrEqual(4_000);
});

/** A turn looks every 2 s, and workers at what it wants as often. */
const turn = 4;
const cases: Readonly<Record<string, Case>> = {
  'min-succeeded': { limits: { minSuccessful: 300 }, failed: 0, isReached: (ok) => ok >= 300, within: turn },
  tolerate: { limits: { toleratedFailureCount: 100 }, failed: 30, isReached: (_, no) => no > 100, within: turn },
  budget: { limits: { budgetUsd: 5 }, failed: 0, isReached: (ok, no) => ok + no >= 500, within: turn },
  canary: { limits: { canary: 100 }, failed: 90, isReached: (ok, no) => ok + no >= 100, within: 0 },
  breaker: { limits: { breaker: 50 }, failed: 90, isReached: (ok, no) => ok + no >= 50, within: 0 },
};

describe('a limited job that has reached a stop', () => {
  it.each(Object.entries(cases))('starts no more than its limit allows until all know: %s', async (_, stop) => {
    const { limits, failed, isReached, within } = stop;
    const { history } = await simulate({
      task: failing(failed),
      items: Array.from({ length: 5_000 }, (_item, n) => n),
      workers,
      options: { limits: { rate: { limit: 100, perMs: 1_000 }, ...limits }, timeoutMs: 5_000, attempts: 1 },
      wait: false,
      cancelAfterMs: 120_000,
    });
    let [ok, no] = [0, 0];
    const inOrder = history.calls.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
    const reached = inOrder.find(({ end }) => {
      if (end === 'returned') ok++;
      else no++;
      return isReached(ok, no);
    });
    const from = reached?.endedAt ?? Number.NaN;
    const later = history.calls.filter(({ startedAt }) => startedAt > from + 1_000 * within);
    expect(reached).toBeDefined();
    // What began in the millisecond in which the last of it ended did not know.
    expect(later.filter(({ startedAt }) => startedAt > from + 1_000 * within + 20)).toEqual([]);
    const after = history.calls.filter(({ startedAt }) => startedAt > from).length;
    expect(after).toBeLessThanOrEqual(100 * 1.02 * within + 3);
  });
});

describe('a fast job that has reached a stop', () => {
  const perWorker = 100;
  const fast = { rate: { limit: 2_000, perMs: 1_000 } } as const;
  it.each([
    ['min-succeeded', 0, { minSuccessful: 10_000 }, (ok: number) => ok >= 10_000],
    ['min-succeeded, of half', 50, { minSuccessful: 4_000 }, (ok: number) => ok >= 4_000],
    ['min-succeeded, of few', 0, { minSuccessful: 10 }, (ok: number) => ok >= 10],
    ['tolerate', 30, { toleratedFailureCount: 3_000 }, (_: number, no: number) => no > 3_000],
    ['tolerate, a percentage', 10, { toleratedFailurePercentage: 5 }, (_: number, no: number) => no > 750],
    ['tolerate none', 30, { toleratedFailureCount: 0 }, (_: number, no: number) => no > 0],
    ['budget', 0, { budgetUsd: 100 }, (ok: number, no: number) => ok + no >= 10_000],
    ['min-succeeded at a rate', 0, { minSuccessful: 1_000, ...fast }, (ok: number) => ok >= 1_000],
    ['tolerate at a rate', 20, { toleratedFailureCount: 100, ...fast }, (_: number, no: number) => no > 100],
    ['budget at a rate', 0, { budgetUsd: 10, ...fast }, (ok: number, no: number) => ok + no >= 1_000],
  ] as const)(
    'starts only what is left of the chunks its workers have begun: %s',
    async (_, failed, limits, isReached) => {
      const { history } = await simulate({
        task: failing(failed, 20),
        items: Array.from({ length: 15_000 }, (_item, n) => n),
        workers,
        options: { limits, perWorker, timeoutMs: 5_000, attempts: 1 },
        wait: false,
        cancelAfterMs: 60_000,
      });
      let [ok, no] = [0, 0];
      const inOrder = history.calls.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
      const from = inOrder.find(({ end }) => {
        if (end === 'returned') ok++;
        else no++;
        return isReached(ok, no);
      })?.endedAt;
      expect(from).toBeDefined();
      const later = history.calls.filter(({ startedAt }) => startedAt > (from ?? 0));
      expect(later.length).toBeLessThanOrEqual(workers * bounds.stopChunkItems);
    },
  );

  it('starts only what its workers have in line until each of them has seen enough fail: breaker', async () => {
    const { history } = await simulate({
      task: failing(90, 20),
      items: Array.from({ length: 15_000 }, (_item, n) => n),
      workers,
      options: { limits: { breaker: 50 }, perWorker, timeoutMs: 5_000, attempts: 1 },
      wait: false,
      cancelAfterMs: 60_000,
    });
    const from = history.calls.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))[49]?.endedAt;
    expect(from).toBeDefined();
    const later = history.calls.filter(({ startedAt }) => startedAt > (from ?? 0));
    expect(later.length).toBeLessThanOrEqual(workers * perWorker);
  });

  it.each([
    [{ toleratedFailureCount: 0 }, (_: number, no: number) => no > 0],
    [{ toleratedFailureCount: 20 }, (_: number, no: number) => no > 20],
    [{ budgetUsd: 7 }, (ok: number, no: number) => ok + no >= 700],
  ] as const)('begins no chunk of its line where one worker alone has seen it: %j', async (limits, isReached) => {
    const { history } = await simulate({
      task: failing(10, 500),
      items: Array.from({ length: 5_000 }, (_item, n) => n),
      workers: 1,
      options: { limits, perWorker: 400, timeoutMs: 5_000, attempts: 1 },
      wait: false,
      cancelAfterMs: 60_000,
    });
    let [ok, no] = [0, 0];
    const inOrder = history.calls.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
    const from = inOrder.find(({ end }) => {
      if (end === 'returned') ok++;
      else no++;
      return isReached(ok, no);
    })?.endedAt;
    expect(from).toBeDefined();
    const later = history.calls.filter(({ startedAt }) => startedAt > (from ?? 0));
    // The chunk that was begun in part.
    expect(later.length).toBeLessThanOrEqual(bounds.stopChunkItems);
  });

  it('begins under its rate no more than may succeed still', async () => {
    const limits = { minSuccessful: 1_000, rate: { limit: 2_000, perMs: 1_000 } };
    const items = Array.from({ length: 20_000 }, (_item, n) => n);
    const { summary } = await simulate({
      task: failing(0, 2_000),
      items,
      workers: 5,
      options: { limits },
      wait: false,
    });
    expect(summary).toMatchObject({ end: 'done', totals: { succeeded: 1_000 } });
  });

  it.each([1, 2, 3, 4, 5, 6])('ends all the same while processes die and ticks are lost: seed %i', async (seed) => {
    const { summary } = await simulate({
      task: failing(20, 50),
      items: Array.from({ length: 4_000 }, (_item, n) => n),
      workers,
      seed,
      options: { limits: { minSuccessful: 1_500 }, perWorker: 50, timeoutMs: 5_000, attempts: 1 },
      wait: false,
      faults: {
        odds: { kill: 0.2, freeze: 0.1, 'lost-tick': 0.3, duplicate: 0.2, 's3-slow': 0.1 },
        forMs: 60_000,
        longestMs: 30_000,
      },
    });
    expect(summary.end).toBe('done');
    expect(summary.totals.succeeded).toBeGreaterThanOrEqual(1_500);
  });
});

describe('a job with a stop that has ended', () => {
  const some: ReadonlyArray<readonly [Limits]> = [
    [{ minSuccessful: 3 }],
    [{ minSuccessful: 990 }],
    [{ toleratedFailureCount: 0 }],
    [{ toleratedFailureCount: 9 }],
    [{ minSuccessful: 990, rate: { limit: 1_000, perMs: 1_000 } }],
    [{ toleratedFailurePercentage: 0, rate: { limit: 1_000, perMs: 1_000 } }],
  ];
  it.each(some)('was run by the fan-out itself in the time that it takes: %j', async (limits) => {
    const { tookMs } = await simulate({
      task: failing(10, 100),
      items: Array.from({ length: 10 }, (_item, n) => n),
      options: { limits, attempts: 1 },
      wait: true,
      followed: false,
    });
    expect(tookMs).toBeLessThan(1_000);
  });

  it.each(some)('keeps no worker beyond the next look at it: %j', async (limits) => {
    const { history } = await simulate({
      task: failing(1, 100),
      items: Array.from({ length: 1_000 }, (_item, n) => n),
      workers,
      options: { limits, attempts: 1 },
      wait: false,
      followed: false,
    });
    const lastCall = history.calls.reduce((latest, { endedAt = 0 }) => Math.max(latest, endedAt), 0);
    const lastWorker = history.lives.reduce(
      (latest, { endedAt = 0, role }) => Math.max(latest, role === 'worker' ? endedAt : 0),
      0,
    );
    expect(lastWorker - lastCall).toBeLessThan(5_000);
  });
});
