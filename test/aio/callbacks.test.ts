import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import {
  allTasks,
  asCompleted,
  type CallbackOptions,
  contextVar,
  copyContext,
  createTask,
  currentDeadline,
  currentLoop,
  currentTask,
  Future,
  moveOnAfter,
  run,
  sleep,
  taskGroup,
  timeout,
  VirtualClock,
} from '../../src/aio/index.ts';
import { errorOf, now, program, turns } from './support.ts';

type Register = (callback: () => unknown, options?: CallbackOptions) => void;

/** Every way to be called back, each of which calls within 10 ms. */
const registrations: readonly (readonly [name: string, register: Register])[] = [
  ['callSoon', (callback, options) => void currentLoop().callSoon(callback, options)],
  ['callLater', (callback, options) => void currentLoop().callLater(5, callback, options)],
  ['callAt', (callback, options) => void currentLoop().callAt(now() + 5, callback, options)],
  [
    'addDoneCallback of a future',
    (callback, options) => {
      const future = new Future<void>();
      future.addDoneCallback(callback, options);
      createTask(async () => future.setResult());
    },
  ],
  [
    'addDoneCallback of what is done',
    (callback, options) => {
      const future = new Future<void>();
      future.setResult();
      future.addDoneCallback(callback, options);
    },
  ],
  ['addDoneCallback of a task', (callback, options) => createTask(() => sleep(5)).addDoneCallback(callback, options)],
];

describe.each(registrations)('a callback of %s', (_, register) => {
  test(
    'runs in no task, on the loop of its program',
    program(async () => {
      const loop = currentLoop();
      const seen: unknown[] = [];
      register(() => seen.push(currentTask(), currentLoop() === loop, currentLoop().time()));
      const before = now();
      await sleep(10);
      expect(seen).toEqual([undefined, true, expect.any(Number)]);
      expect(seen[2]).toBeLessThanOrEqual(before + 10);
    }),
  );

  test(
    'may create tasks, which the program waits for',
    program(async () => {
      const seen: string[] = [];
      register(() => {
        createTask(async () => {
          await sleep(1);
          seen.push(`${currentTask()?.name} at ${now()}`);
        });
      });
      await sleep(10);
      expect(seen).toHaveLength(1);
    }),
  );

  test(
    'reads the context variables of where it was registered, and writes to a copy of its own',
    program(async () => {
      const user = contextVar('user', { default: 'nobody' });
      const seen: string[] = [];
      user.set('ada');
      register(() => {
        seen.push(user.get());
        user.set('grace');
        createTask(async () => seen.push(user.get()));
      });
      register(() => seen.push(user.get()));
      user.set('mary');
      await sleep(10);
      expect(seen.sort()).toEqual(['ada', 'ada', 'grace']);
      expect(user.get()).toBe('mary');
    }),
  );

  test(
    'takes a context instead',
    program(async () => {
      const user = contextVar('user', { default: 'nobody' });
      const context = copyContext();
      user.set('ada');
      const seen: string[] = [];
      register(() => seen.push(user.get()), { context });
      await sleep(10);
      expect(seen).toEqual(['nobody']);
    }),
  );

  test(
    'sees every AsyncLocalStorage as it was where it was registered, and leaks nothing',
    program(async () => {
      const store = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      store.run('one', () => register(() => seen.push(store.getStore())));
      store.run('two', () => register(() => seen.push(store.getStore())));
      register(() => seen.push(store.getStore()));
      await sleep(10);
      expect(seen.sort()).toEqual(['one', 'two', undefined]);
    }),
  );

  test(
    'sleeps, times out, and forms groups on the clock of the program',
    program(async () => {
      const ended = new Future<unknown[]>();
      const realMs = performance.now();
      register(async () => {
        const beganMs = now();
        await sleep(1_000_000);
        const moved = await moveOnAfter(1_000_000, () => sleep(5_000_000));
        const error = await errorOf(timeout(1_000_000, () => sleep(5_000_000)));
        await taskGroup((group) => void group.createTask(() => sleep(1_000_000)));
        for await (const each of asCompleted([() => sleep(1_000_000)])) each.task.result();
        ended.setResult([moved.timedOut, (error as Error).name, now() - beganMs]);
      });
      expect(await ended).toEqual([true, 'TimeoutError', 5_000_000]);
      expect(performance.now() - realMs).toBeLessThan(60_000);
    }),
  );

  test('has its failure reported, also when it is an async function', async () => {
    const reported: unknown[] = [];
    const body = async () => {
      register(() => {
        throw new RangeError('sync');
      });
      register(async () => {
        await sleep(1);
        throw new RangeError('async');
      });
      await sleep(20);
    };
    await run(body, {
      clock: new VirtualClock(),
      onUnhandledError: ({ message, error }) => reported.push(message, error),
    });
    expect(reported).toEqual([
      'a callback of the loop failed',
      expect.objectContaining({ message: 'sync' }),
      'a callback of the loop failed',
      expect.objectContaining({ message: 'async' }),
    ]);
  });

  test(
    'must be a function',
    program(async () => {
      // The cast stands for a caller without types.
      await expect(async () => register('no function' as unknown as () => void)).rejects.toThrow(
        'expected a function to call back, got string',
      );
      await turns(3);
    }),
  );
});

describe('callbacks', () => {
  test(
    'know the deadline of the scope they were registered in',
    program(async () => {
      const seen: number[] = [];
      await timeout(100, async () => {
        currentLoop().callSoon(() => seen.push(currentDeadline()));
        await sleep(1);
      });
      expect(seen).toEqual([100]);
    }),
  );

  test('cannot start a program inside their program', async () => {
    const failure = await run(async () => {
      const started = new Future<unknown>();
      currentLoop().callSoon(async () => started.setResult(await errorOf(run(async () => {}))));
      return await started;
    });
    expect(failure).toMatchObject({ code: 'InvalidState' });
  });

  test('call nobody back once the program has ended, and hold no process open', async () => {
    const seen: string[] = [];
    const clock = new VirtualClock({ manual: true });
    const loop = await run(
      async () => {
        currentLoop().callLater(50, () => seen.push('late'));
        currentLoop().callAt(60, () => seen.push('later'));
        return currentLoop();
      },
      { clock },
    );
    await clock.advance(1_000);
    expect(seen).toEqual([]);
    for (const call of [() => loop.callSoon(() => {}), () => loop.callLater(1, () => {})])
      expect(call).toThrow('the program of this loop has ended: nothing would call back');
  });

  test(
    'are not tasks',
    program(async () => {
      const seen: number[] = [];
      currentLoop().callSoon(() => seen.push(allTasks().length));
      await turns(2);
      expect(seen).toEqual([1]);
    }),
  );
});
