import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { CancelledError, InterruptedError, InvalidStateError } from '../../src/aio/loop/errors.ts';
import { Future } from '../../src/aio/loop/future.ts';
import type { SlowCallback } from '../../src/aio/loop/turns.ts';
import { run } from '../../src/aio/run.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { VirtualClock } from '../../src/aio/virtual-clock.ts';
import { errorOf, me, turns } from './support.ts';

class Crash extends Error {}

const onVirtualTime = () => ({ clock: new VirtualClock() });

describe('run', () => {
  test('returns what main returns, and throws what it throws [test_asyncio_run_return, test_asyncio_run_raises]', async () => {
    expect(await run(async () => 42, onVirtualTime())).toBe(42);
    expect(await errorOf(run(() => Promise.reject(new Crash())))).toBeInstanceOf(Crash);
  });

  test('is refused inside a program [test_asyncio_run_from_running_loop, test_recursive_run]', async () => {
    const nested = run(() => run(async () => 1));
    expect(await errorOf(nested)).toBeInstanceOf(InvalidStateError);
  });

  test('cancels and awaits the tasks that are left [test_asyncio_run_cancels_hanging_tasks]', async () => {
    const seen: string[] = [];
    const { clock } = onVirtualTime();
    await run(
      async () => {
        createTask(async () => {
          try {
            await sleep(1000);
          } finally {
            await sleep(5);
            seen.push('cleaned up');
          }
        });
        await turns(1);
      },
      { clock },
    );
    expect([seen, clock.now()]).toEqual([['cleaned up'], 5]);
  });

  test('reports the failures of tasks that are left [test_asyncio_run_reports_hanging_tasks_errors]', async () => {
    const reported: unknown[] = [];
    const body = async () => {
      createTask(() => sleep(1000).catch(() => Promise.reject(new Crash())));
      await turns(1);
    };
    await run(body, { ...onVirtualTime(), onUnhandledError: ({ error }) => reported.push(error) });
    expect(reported).toEqual([expect.any(Crash)]);
  });

  test('cancels and awaits tasks that a cleanup starts, too', async () => {
    let ended = false;
    const body = async () => {
      createTask(async () => {
        await sleep(1000).catch(() => {
          createTask(() =>
            sleep(1000).finally(() => {
              ended = true;
            }),
          );
        });
      });
      await turns(1);
    };
    await run(body, onVirtualTime());
    expect(ended).toBe(true);
  });

  test('gives each of two programs side by side its own loop [test_run]', async () => {
    const body = async () => {
      await sleep(10);
      return me().name;
    };
    expect(await Promise.all([run(body), run(body)])).toEqual(['Task-1', 'Task-1']);
  });

  test('rejects with the reason of the signal that cancelled it', async () => {
    const controller = new AbortController();
    const cancelled = run(
      async () => {
        controller.abort(new Crash());
        await sleep(1000);
      },
      { ...onVirtualTime(), signal: controller.signal },
    );
    expect(await errorOf(cancelled)).toBeInstanceOf(Crash);
    expect(await errorOf(run(async () => 1, { signal: AbortSignal.abort(new Crash()) }))).toBeInstanceOf(Crash);
  });

  test('keeps the result of a program that caught the cancellation', async () => {
    const controller = new AbortController();
    const body = () => {
      setImmediate(() => controller.abort());
      return sleep(60_000).then(
        () => 'slept',
        () => 'caught',
      );
    };
    expect(await run(body, { signal: controller.signal })).toBe('caught');
  });

  test('rejects with CancelledError when main was cancelled otherwise', async () => {
    const body = async () => {
      me().cancel('self');
      await sleep(1);
    };
    expect(await errorOf(run(body, onVirtualTime()))).toMatchObject({ reason: 'self' });
  });

  test('ends with InterruptedError when the user interrupts it [test_interrupt_wait, test_interrupt_call_soon]', async () => {
    let interrupt = () => {};
    let subscribed = false;
    const cleaned: string[] = [];
    const interrupted = run(
      async () => {
        interrupt();
        await sleep(1000).finally(() => cleaned.push('cleaned up'));
      },
      {
        ...onVirtualTime(),
        onInterrupt: (callback) => {
          interrupt = callback;
          subscribed = true;
          return () => {
            subscribed = false;
          };
        },
      },
    );
    expect(await errorOf(interrupted)).toBeInstanceOf(InterruptedError);
    expect([cleaned, subscribed]).toEqual([['cleaned up'], false]);
  });

  test('keeps the CancelledError when others asked as well [test_interrupt_cancelled_task, test_asyncio_run_without_uncancel]', async () => {
    let interrupt = () => {};
    const onInterrupt = (callback: () => void) => {
      interrupt = callback;
      return () => {};
    };
    const body = async () => {
      interrupt();
      me().cancel();
      await sleep(1000);
    };
    expect(await errorOf(run(body, { ...onVirtualTime(), onInterrupt }))).toBeInstanceOf(CancelledError);
  });

  test('leaves a program that does not end when the user interrupts it twice', async () => {
    let interrupt = () => {};
    const onInterrupt = (callback: () => void) => {
      interrupt = callback;
      return () => {};
    };
    const never = new Promise<void>(() => {});
    const stubborn = run(
      async () => {
        interrupt();
        interrupt();
        await never;
      },
      { onInterrupt },
    );
    expect(await errorOf(stubborn)).toBeInstanceOf(InterruptedError);
  });

  test('names the task that blocked the loop in debug mode [test_asyncio_run_debug, test_debug, test_non_debug]', async () => {
    for (const debug of [true, false]) {
      const clock = new VirtualClock();
      const slow: SlowCallback[] = [];
      const body = async () => {
        const quick = createTask(() => sleep(500), { name: 'quick' });
        const greedy = createTask(
          async () => {
            await sleep(10);
            await Promise.resolve();
            clock.block(250);
            await sleep(10);
            clock.block(99);
          },
          { name: 'greedy' },
        );
        await quick;
        await greedy;
      };
      await run(body, { clock, debug, onSlowCallback: (each) => slow.push(each) });
      expect(slow).toEqual(debug ? [{ task: 'greedy', durationMs: 250 }] : []);
    }
  });

  test('goes on when a task awaits a foreign promise without a wait of ours', async () => {
    const seen: string[] = [];
    await run(async () => {
      createTask(async () => {
        for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
        seen.push('foreign');
      });
      createTask(() => void seen.push('other'));
      const future = new Future<void>();
      setImmediate(() => future.setResult());
      await future;
      await turns(5);
    });
    expect(seen).toEqual(['other', 'foreign']);
  });

  test('lets the host do its input and output while tasks keep each other busy', async () => {
    let rounds = 0;
    await run(async () => {
      let over = false;
      setImmediate(() => setTimeout(() => (over = true), 0));
      while (!over) {
        rounds += 1;
        await sleep(0);
      }
    });
    expect(rounds).toBeGreaterThan(0);
  });
});
