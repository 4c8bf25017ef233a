import { expect, it } from 'vitest';
import { z } from 'zod';
import { registryOf } from '../../../src/task/registry.ts';
import { defineTask } from '../../../src/task/task.ts';
import { simulate } from '../../../src/testing/simulate.ts';
import { type RunOnThread, withThreads } from '../../../src/worker/isolate/thread-task.ts';

const heavy = defineTask({ description: 'Computes', input: z.number(), example: 1, thread: true, run: () => 1 });

/** Runs the task on a thread that takes 1.5 s to start, and 20 ms for each call; tells when each call began. */
async function onSlowThread(limits: object): Promise<readonly number[]> {
  const begins: number[] = [];
  const started = Promise.withResolvers<void>();
  let isAsked = false;
  const runOnThread: RunOnThread = async (_request, _signal, begun) => {
    if (!isAsked) setTimeout(started.resolve, 1_500);
    isAsked = true;
    await started.promise;
    begins.push(Date.now());
    begun?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { ok: true, json: '1' };
  };
  const task = await withThreads(registryOf({ heavy }), runOnThread).load('heavy');
  if (task === undefined) throw new Error('expected a task');
  const items = Array.from({ length: 60 }, (_, n) => n);
  const { rows } = await simulate({ task, items, workers: 1, options: { limits }, wait: false });
  expect(rows.every(({ status }) => status === 'succeeded')).toBe(true);
  return begins.toSorted((a, b) => a - b);
}

it('keeps a pace also where starts would gather until a thread is up', async () => {
  const begins = await onSlowThread({ rate: '20/s' });
  expect(begins).toHaveLength(60);
  const distances = begins.slice(1).map((at, n) => at - (begins[n] ?? 0));
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(50 - 21);
  expect((begins.at(-1) ?? 0) - (begins[0] ?? 0)).toBeLessThan(1.1 * 59 * 50);
});

it('holds nothing back where there is no pace', async () => {
  const begins = await onSlowThread({ maxConcurrency: 30 });
  expect(begins.filter((at) => at === begins[0])).toHaveLength(30);
});
