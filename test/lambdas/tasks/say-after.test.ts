import { expect, test } from 'vitest';
import { task } from '../../../lambdas/tasks/say-after.ts';
import { parseItem } from '../../../src/task/task.ts';

const context = {
  signal: new AbortController().signal,
  attempt: 1,
  idempotencyKey: 'job/0',
  log: () => {},
  used: () => {},
};

test('says its message', async () => {
  expect(await task.run({ delayMs: 0, message: 'Hello' }, context)).toBe('Hello');
});

test('waits for all of its delay', async () => {
  const started = performance.now();
  await task.run({ delayMs: 30, message: 'Hello' }, context);
  // Node rounds timers to whole milliseconds.
  expect(performance.now() - started).toBeGreaterThanOrEqual(29);
});

test('stops to wait when its signal aborts, and gives the reason', async () => {
  const controller = new AbortController();
  const outcome = task.run({ delayMs: 14_000, message: 'Hello' }, { ...context, signal: controller.signal });
  const reason = new Error('time is up');
  controller.abort(reason);
  await expect(outcome).rejects.toBe(reason);
});

test.each<[unknown, string]>([
  [{ delayMs: -1, message: 'x' }, 'delayMs: expected milliseconds from 0'],
  [{ delayMs: 240_001, message: 'x' }, 'delayMs: expected at most 240000 ms, the longest timeout of a job'],
  [{ delayMs: 1.5, message: 'x' }, 'delayMs: expected whole milliseconds'],
  [{ delayMs: 1 }, 'message: expected a text'],
])('refuses %j', async (item, problem) => {
  expect(await parseItem(task, item)).toEqual({ ok: false, problem });
});

test('accepts its own example', async () => {
  expect(await parseItem(task, task.example)).toMatchObject({ ok: true });
});
