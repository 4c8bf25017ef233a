import { describe, expect, it } from 'vitest';
import { countPrimes, task } from '../../../lambdas/tasks/cpu.ts';
import { parseItem } from '../../../src/task/task.ts';

describe('cpu', () => {
  it('runs on threads, so that it never blocks the event loop', () => {
    expect(task.thread).toBe(true);
  });

  it.each([
    [2, 1],
    [3, 2],
    [4, 2],
    [10, 4],
    [97, 25],
    [100, 25],
    [1_000_000, 78_498],
  ])('counts the primes up to %d: %d', (limit, primes) => {
    expect(countPrimes(limit)).toBe(primes);
  });

  it.each([
    [{ limit: 1 }, 'limit: expected a limit from 2'],
    [{ limit: 2.5 }, 'limit: expected a whole number'],
    [{ limit: 100_000_001 }, 'limit: expected a limit up to 100,000,000'],
    [{ limit: '9' }, 'limit: expected a whole number'],
    [{}, 'limit: expected a whole number'],
  ])('refuses %j', async (item, problem) => {
    expect(await parseItem(task, item)).toEqual({ ok: false, problem });
  });
});
