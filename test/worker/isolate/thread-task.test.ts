import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TaskError } from '../../../src/task/errors.ts';
import { registryOf } from '../../../src/task/registry.ts';
import { defineTask, type TaskContext } from '../../../src/task/task.ts';
import {
  answerOnThread,
  type RunOnThread,
  type ThreadRequest,
  withThreads,
} from '../../../src/worker/isolate/thread-task.ts';
import { chargeItem } from '../../../src/worker/item-scope.ts';

const lines: unknown[] = [];
const log = (level: string, message: string, fields?: object): void => void lines.push({ level, message, ...fields });
const heavy = defineTask({
  description: 'Computes',
  input: z.unknown(),
  example: null,
  thread: true,
  run: (item, context) => {
    context.log('computing', { item });
    if (item === 'refused')
      throw new TaskError('later', { code: 'Busy', retryable: true, retryAfterMs: 500, status: 503 });
    if (item === 'harm') chargeItem('WorkerCrashed', 'called process.exit()');
    if (item === 'bug') throw new TypeError('no such thing');
    return { item, attempt: context.attempt, key: context.idempotencyKey };
  },
});
const light = defineTask({ description: 'Waits', input: z.unknown(), example: null, run: () => 'on the loop' });
const tasks = registryOf({ heavy, light });

describe('tasks with threads', () => {
  const requests: ThreadRequest[] = [];
  // What crosses between threads is copied, as here.
  const runOnThread: RunOnThread = async (request) => {
    requests.push(request);
    return structuredClone(await answerOnThread(tasks, structuredClone(request), { log, now: () => 0 }));
  };
  const registry = withThreads(tasks, runOnThread);
  const context: TaskContext = {
    signal: new AbortController().signal,
    attempt: 2,
    idempotencyKey: 'job/7',
    log: () => undefined,
    used: () => undefined,
  };
  const run = async (name: string, item: string): Promise<unknown> => (await registry.load(name))?.run(item, context);

  it('runs a task that computes on a thread, with its attempt and key, and its log names job and item', async () => {
    expect(await run('heavy', 'x')).toEqual({ item: 'x', attempt: 2, key: 'job/7' });
    expect(requests).toEqual([{ task: 'heavy', item: 'x', attempt: 2, idempotencyKey: 'job/7' }]);
    expect(lines).toEqual([{ level: 'info', message: 'computing', item: 'x', jobId: 'job', index: 7 }]);
  });

  it('leaves a task that waits on the loop', async () => {
    expect(await run('light', 'x')).toBe('on the loop');
    expect(requests).toHaveLength(1);
  });

  it('fails by what it did to its thread, whatever it answers', async () => {
    const failure = { code: 'WorkerCrashed', message: 'called process.exit()', retryable: false };
    await expect(run('heavy', 'harm')).rejects.toMatchObject(failure);
    expect(await run('heavy', 'y')).toMatchObject({ item: 'y' });
  });

  it('passes on what a failure says of another attempt', async () => {
    await expect(run('heavy', 'refused')).rejects.toMatchObject({
      code: 'Busy',
      retryable: true,
      retryAfterMs: 500,
      status: 503,
    });
    await expect(run('heavy', 'bug')).rejects.toMatchObject({ code: 'TypeError', retryable: false });
  });

  it('rejects for a task that the thread does not know', async () => {
    const request = { task: 'none', item: 1, attempt: 1, idempotencyKey: 'job/1' };
    await expect(answerOnThread(tasks, request, { log, now: () => 0 })).rejects.toThrow(
      'expected a task "none", got none',
    );
  });
});
