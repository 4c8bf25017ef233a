import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  Barrier,
  Condition,
  createTask,
  Event,
  Future,
  gather,
  Lock,
  moveOnAfter,
  Queue,
  run,
  Semaphore,
  sleep,
  taskGroup,
  timeout,
  until,
  VirtualClock,
  wait,
  waitFor,
  withSignal,
} from '../../src/aio/index.ts';
import { expectCancelled } from './support.ts';

const never = () => new Future<void>();
const endless = () => sleep(1_000_000);
const held = () => {
  const lock = new Lock();
  void lock.acquire();
  return lock;
};

/** Every verb that waits, called as a statement that nobody awaits. */
const waits: readonly (readonly [name: string, wait: () => unknown])[] = [
  ['sleep', endless],
  ['a future', () => never().then(() => {})],
  ['finally of a future', () => never().finally(() => {})],
  ['gather', () => gather([endless])],
  ['wait', () => wait([createTask(endless)])],
  ['waitFor', () => waitFor(endless, 2_000_000)],
  ['timeout', () => timeout(2_000_000, endless)],
  ['moveOnAfter', () => moveOnAfter(2_000_000, endless)],
  ['taskGroup', () => taskGroup((group) => void group.createTask(endless))],
  ['until', () => until(new Promise(() => {}))],
  [
    'withSignal',
    () =>
      withSignal(
        (signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
      ),
  ],
  ['a lock', () => held().acquire()],
  ['the hold of a lock', () => held().hold()],
  ['a semaphore', () => new Semaphore(0).acquire()],
  ['the hold of a semaphore', () => new Semaphore(0).hold()],
  ['an event', () => new Event().wait()],
  [
    'a condition',
    () => {
      const condition = new Condition();
      void condition.acquire();
      return condition.wait();
    },
  ],
  ['the hold of a condition', () => new Condition(held()).hold()],
  ['get of a queue', () => new Queue().get()],
  [
    'put of a queue',
    () => {
      const queue = new Queue<number>(1);
      queue.putNowait(1);
      return queue.put(2);
    },
  ],
  [
    'join of a queue',
    () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      return queue.join();
    },
  ],
  ['a barrier', () => new Barrier(2).wait()],
];

/** Runs with virtual time, and gives what was reported and what Node was told of as unhandled. */
async function outcomeOf(body: () => Promise<void>): Promise<{ reported: unknown[]; unhandled: unknown[] }> {
  const reported: unknown[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    await run(body, { clock: new VirtualClock(), onUnhandledError: ({ error }) => reported.push(error) });
    // Node tells of rejections when the microtasks have run.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  return { reported, unhandled };
}

describe('a wait that nobody awaits', () => {
  test.each(waits)('of %s ends silently with its task', async (_, wait) => {
    const outcome = await outcomeOf(async () => {
      void wait();
      await sleep(1);
    });
    expect(outcome).toEqual({ reported: [], unhandled: [] });
  });

  test.each(waits)('of %s ends silently when its task is cancelled, which still ends', async (_, wait) => {
    const outcome = await outcomeOf(async () => {
      const task = createTask(async () => {
        void wait();
        await sleep(1_000);
      });
      await sleep(1);
      task.cancel();
      await expectCancelled(task);
    });
    expect(outcome).toEqual({ reported: [], unhandled: [] });
  });

  test('does not take the cancellation from the line that goes on', async () => {
    const seen: string[] = [];
    await outcomeOf(async () => {
      const event = new Event();
      const task = createTask(async () => {
        void endless();
        await event.wait();
        seen.push('went on');
      });
      await sleep(1);
      event.set();
      task.cancel();
      await expectCancelled(task);
    });
    expect(seen).toEqual([]);
  });

  test.each([
    ['timeout', () => timeout(1, endless)],
    ['taskGroup', () => taskGroup((group) => void group.createTask(() => Promise.reject(new RangeError())))],
    ['gather', () => gather([() => Promise.reject(new RangeError())])],
    ['waitFor', () => waitFor(() => Promise.reject(new RangeError()), 10)],
    ['withSignal', () => withSignal(() => Promise.reject(new RangeError()))],
    ['until', () => until(Promise.reject(new RangeError()))],
    ['then of a task', () => createTask(() => Promise.reject(new RangeError())).then(() => {})],
    [
      'a future',
      () => {
        new Future<void>().setException(new RangeError());
      },
    ],
    [
      'a queue that is shut down',
      () => {
        const queue = new Queue<number>();
        void queue.get();
        queue.shutdown();
      },
    ],
  ])('and fails, as %s, is reported once and kills nobody', async (_, wait) => {
    const { reported, unhandled } = await outcomeOf(async () => {
      void wait();
      await sleep(5);
    });
    expect([reported.length, unhandled]).toEqual([1, []]);
  });

  test('but is awaited later is no failure that nobody saw', async () => {
    const outcome = await outcomeOf(async () => {
      const late = timeout(1, endless);
      await sleep(5);
      await late.catch(() => {});
      const race = Promise.race([sleep(1), new Event().wait()]);
      await race;
    });
    expect(outcome).toEqual({ reported: [], unhandled: [] });
  });

  test('does not kill a process', () => {
    const face = JSON.stringify(new URL('../../src/aio/index.ts', import.meta.url).href);
    const program = `import { run, sleep, Queue, timeout } from ${face};
      await run(async () => { sleep(1_000_000); new Queue().get(); timeout(5, () => sleep(100)); await sleep(1_000); });
      console.log('ended');`;
    const node = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    });
    expect([node.status, node.stdout.trim()]).toEqual([0, 'ended']);
    expect(node.stderr).toContain('a wait failed and nobody awaited it TimeoutError');
  });
});
