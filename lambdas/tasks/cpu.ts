import * as z from 'zod';
import { defineTask } from '../../src/task/task.ts';

/** Computes: the work that an event loop must not do, so each item runs on a worker thread. */
export const task = defineTask({
  description: 'Counts the primes up to a limit, on a worker thread',
  input: z.strictObject({
    limit: z
      .int('expected a whole number')
      .min(2, 'expected a limit from 2')
      .max(100_000_000, 'expected a limit up to 100,000,000'),
  }),
  example: { limit: 1_000_000 },
  timeoutMs: 60_000,
  thread: true,
  run: ({ limit }) => ({ limit, primes: countPrimes(limit) }),
});

/** The sieve of Eratosthenes over the odd numbers. */
export function countPrimes(limit: number): number {
  const isComposite = new Uint8Array(Math.ceil((limit + 1) / 2));
  let count = 1;
  for (let n = 3; n <= limit; n += 2) {
    if (isComposite[n >> 1] === 1) continue;
    count++;
    for (let multiple = n * n; multiple <= limit; multiple += 2 * n) isComposite[multiple >> 1] = 1;
  }
  return count;
}
