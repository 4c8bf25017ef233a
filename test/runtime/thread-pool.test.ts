import { describe, expect, test } from 'vitest';
import { CancelledError, createTask, gather, run, sleep, toThread } from '../../src/aio/index.ts';
import { Threads } from '../../src/runtime/thread-pool.ts';

const file = new URL('thread-pool.worker.ts', import.meta.url).href;

describe('Threads', () => {
  test('runs computations on threads and gives their answers in order [test_to_thread, test_to_thread_once, test_to_thread_concurrent]', async () => {
    await using pool = new Threads<number, number>({ file, exportName: 'square', maxThreads: 2 });
    const squares = await run(() => gather([1, 2, 3, 4].map((n) => () => toThread(pool, n))));
    expect(squares).toEqual([1, 4, 9, 16]);
    expect(pool.size).toBeLessThanOrEqual(2);
  });

  test('hands the error of a computation on [test_to_thread_exception]', async () => {
    await using pool = new Threads<string, never>({ file, exportName: 'fail' });
    await expect(run(() => toThread(pool, 'something went wrong'))).rejects.toThrow('something went wrong');
  });

  test('keeps the loop free while a thread is busy, and ends the thread when its task is cancelled', async () => {
    await using pool = new Threads<SharedArrayBuffer, never>({ file, exportName: 'spin', maxThreads: 1 });
    const shared = new SharedArrayBuffer(4);
    const count = new Int32Array(shared);
    await run(async () => {
      const task = createTask(() => toThread(pool, shared));
      while (Atomics.load(count, 0) === 0) await sleep(0);
      task.cancel();
      await expect(task.then()).rejects.toBeInstanceOf(CancelledError);
    });
    while (pool.size > 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = Atomics.load(count, 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(Atomics.load(count, 0)).toBe(stopped);
  });

  test('takes what is transferred away from here', async () => {
    await using pool = new Threads<ArrayBuffer, number>({ file, exportName: 'size' });
    const buffer = new ArrayBuffer(1000);
    expect(await run(() => toThread(pool, buffer, { transferList: [buffer] }))).toBe(1000);
    expect(buffer.byteLength).toBe(0);
  });
});
