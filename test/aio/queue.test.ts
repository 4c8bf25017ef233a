import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { Event } from '../../src/aio/event.ts';
import { LifoQueue } from '../../src/aio/lifo-queue.ts';
import { currentLoop } from '../../src/aio/loop/current-loop.ts';
import { QueueEmpty, QueueFull, QueueShutDown, TimeoutError } from '../../src/aio/loop/errors.ts';
import { PriorityQueue } from '../../src/aio/priority-queue.ts';
import { Queue } from '../../src/aio/queue.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { taskGroup } from '../../src/aio/task-group.ts';
import { waitFor } from '../../src/aio/wait-for.ts';
import { errorOf, expectCancelled, me, program, thrownBy, turns } from './support.ts';

const kinds = { Queue, LifoQueue, PriorityQueue };

describe('Queue', () => {
  test(
    'knows whether it is empty and full [test_empty, test_full]',
    program(async () => {
      const queue = new Queue<number>();
      expect([queue.empty(), queue.full()]).toEqual([true, false]);
      await queue.put(1);
      expect([queue.empty(), queue.full(), queue.qsize()]).toEqual([false, false, 1]);
      expect([await queue.get(), queue.empty()]).toEqual([1, true]);
      const small = new Queue<number>(1);
      await small.put(1);
      expect([small.full(), small.maxsize]).toEqual([true, 1]);
    }),
  );

  for (const [id, kind, expected] of [
    ['test_order', Queue, [1, 3, 2]],
    ['test_order', LifoQueue, [2, 3, 1]],
    ['test_order', PriorityQueue, [1, 2, 3]],
  ] as const) {
    test(
      `gives items in its order as ${kind.name} [${kind.name}.${id}]`,
      program(async () => {
        const queue = new kind<number>();
        for (const item of [1, 3, 2]) await queue.put(item);
        expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(expected);
      }),
    );
  }

  test(
    'stops a producer when it is full [test_maxsize]',
    program(async () => {
      const queue = new Queue<number>(2);
      const put: number[] = [];
      const task = createTask(async () => {
        for (const item of [0, 1, 2]) {
          await queue.put(item);
          put.push(item);
        }
      });
      await turns(2);
      expect(put).toEqual([0, 1]);
      expect(await queue.get()).toBe(0);
      await turns(1);
      expect(put).toEqual([0, 1, 2]);
      expect([await queue.get(), await queue.get(), task.done()]).toEqual([1, 2, true]);
    }),
  );

  test(
    'gives at once what is there [test_blocking_get, test_nonblocking_get, test_nonblocking_get_exception]',
    program(async () => {
      const queue = new Queue<number>();
      queue.putNowait(1);
      queue.putNowait(2);
      me().cancel();
      expect([await queue.get(), queue.getNowait()]).toEqual([1, 2]);
      expect(thrownBy(() => queue.getNowait())).toBeInstanceOf(QueueEmpty);
      await expectCancelled(sleep(0));
    }),
  );

  test(
    'wakes one who waits to put when an item is taken [test_get_with_putters]',
    program(async () => {
      const queue = new Queue<number>(1);
      await queue.put(1);
      const putting = createTask(() => queue.put(2));
      await turns(1);
      expect(queue.waiting.putters).toBe(1);
      expect([await queue.get(), queue.waiting.putters]).toEqual([1, 0]);
      await putting;
    }),
  );

  test(
    'wakes one who waits to get [test_blocking_get_wait]',
    program(async () => {
      const queue = new Queue<number>();
      const started = new Event();
      const task = createTask(async () => {
        started.set();
        return await queue.get();
      });
      await started.wait();
      expect(task.done()).toBe(false);
      currentLoop().callLater(10, () => queue.putNowait(1));
      expect(await task).toBe(1);
    }),
  );

  test(
    'gives an item to the one whose wait was not cancelled [test_get_cancelled_race]',
    program(async () => {
      const queue = new Queue<string>();
      const [first, second] = [createTask(() => queue.get()), createTask(() => queue.get())];
      await turns(1);
      first.cancel();
      await turns(1);
      expect(first.done()).toBe(true);
      await queue.put('a');
      await turns(1);
      expect(await second).toBe('a');
    }),
  );

  test(
    'takes items from those who wait to put, in their order [test_get_with_waiting_putters, test_put_with_waiting_getters]',
    program(async () => {
      const queue = new Queue<string>(1);
      createTask(() => queue.put('a'));
      createTask(() => queue.put('b'));
      expect([await queue.get(), await queue.get()]).toEqual(['a', 'b']);
      const task = createTask(() => queue.get());
      await turns(1);
      await queue.put('c');
      expect(await task).toBe('c');
    }),
  );

  test(
    'leaves nobody waiting between one producer and one consumer [test_why_are_getters_waiting]',
    program(async () => {
      const queue = new Queue<number>(1);
      await taskGroup((group) => {
        group.createTask(async () => {
          for (let item = 0; item < 5; item += 1) await queue.put(item);
        });
        group.createTask(async () => {
          for (let item = 0; item < 5; item += 1) await queue.get();
        });
      });
      expect(queue.waiting).toEqual({ getters: 0, putters: 0 });
    }),
  );

  test(
    'leaves nobody waiting when many places become free at once [test_why_are_putters_waiting]',
    program(async () => {
      const queue = new Queue<number>(2);
      await taskGroup((group) => {
        group.createTask(async () => {
          await sleep(0);
          for (let left = queue.qsize(); left > 0; left -= 1) queue.getNowait();
        });
        for (const item of [0, 1, 2, 3]) group.createTask(() => queue.put(item));
      });
      expect(queue.waiting.putters).toBe(0);
    }),
  );

  test(
    'forgets those whose wait ended [test_cancelled_getters_not_being_held_in_self_getters, test_cancelled_puts_not_being_held_in_self_putters]',
    program(async () => {
      const queue = new Queue<number>(1);
      expect(await errorOf(waitFor(() => queue.get(), 100))).toBeInstanceOf(TimeoutError);
      expect(queue.waiting.getters).toBe(0);
      queue.putNowait(1);
      const task = createTask(() => queue.put(1));
      await turns(1);
      expect(queue.waiting.putters).toBe(1);
      task.cancel();
      await expectCancelled(task);
      expect(queue.waiting.putters).toBe(0);
    }),
  );

  test(
    'takes an item at once when it has a place [test_blocking_put, test_nonblocking_put, test_nonblocking_put_exception, test_put_cancelled]',
    program(async () => {
      const queue = new Queue<number>(1);
      const task = createTask(() => queue.put(1));
      expect([await queue.get(), task.done()]).toEqual([1, true]);
      queue.putNowait(2);
      expect(thrownBy(() => queue.putNowait(3))).toBeInstanceOf(QueueFull);
      expect(queue.getNowait()).toBe(2);
    }),
  );

  test(
    'wakes one who waits to put when it has a place again [test_blocking_put_wait]',
    program(async () => {
      const queue = new Queue<number>(1);
      const started = new Event();
      currentLoop().callLater(10, () => queue.getNowait());
      const task = createTask(async () => {
        started.set();
        await queue.put(1);
        await queue.put(2);
      });
      await started.wait();
      expect(task.done()).toBe(false);
      await task;
    }),
  );

  test(
    'keeps the item of one who is cancelled just after it was woken [test_get_cancel_drop_one_pending_reader]',
    program(async () => {
      const queue = new Queue<number>();
      const reader = createTask(() => queue.get());
      await turns(1);
      queue.putNowait(1);
      queue.putNowait(2);
      reader.cancel();
      await expectCancelled(reader);
      expect(await queue.get()).toBe(1);
    }),
  );

  test(
    'gives the items to the others when one of many is cancelled [test_get_cancel_drop_many_pending_readers]',
    program(async () => {
      const queue = new Queue<number>();
      const results = await taskGroup(async (group) => {
        const [first, second, third] = [1, 2, 3].map(() => group.createTask(() => queue.get()));
        await turns(1);
        queue.putNowait(1);
        queue.putNowait(2);
        first?.cancel();
        if (first !== undefined) await expectCancelled(first);
        return [await second, await third];
      });
      expect(new Set(results)).toEqual(new Set([1, 2]));
    }),
  );

  test(
    'keeps a place that one who was cancelled could not take [test_put_cancel_drop, test_cancelled_put_silence_value_error_exception]',
    program(async () => {
      const queue = new Queue<number>(1);
      queue.putNowait(1);
      const writer = createTask(() => queue.put(2));
      await turns(1);
      expect(queue.getNowait()).toBe(1);
      writer.cancel();
      await expectCancelled(writer);
      await queue.put(2);
      expect([queue.getNowait(), queue.qsize()]).toEqual([2, 0]);
    }),
  );

  test(
    'accepts a size that is not whole [test_float_maxsize]',
    program(async () => {
      const queue = new Queue<number>(1.3);
      await queue.put(1);
      queue.putNowait(2);
      expect(queue.full()).toBe(true);
      expect(thrownBy(() => queue.putNowait(3))).toBeInstanceOf(QueueFull);
    }),
  );

  test(
    'passes over one who waits to put and is cancelled [test_put_cancelled_race]',
    program(async () => {
      const queue = new Queue<string>(1);
      const [a, b, x] = ['a', 'b', 'X'].map((item) => createTask(() => queue.put(item)));
      await turns(1);
      expect([a?.done(), b?.done()]).toEqual([true, false]);
      x?.cancel();
      await turns(1);
      expect([x?.done(), queue.getNowait()]).toEqual([true, 'a']);
      await turns(1);
      expect(queue.getNowait()).toBe('b');
      await b;
    }),
  );

  test(
    'is iterated until it is shut down',
    program(async () => {
      const queue = new Queue<number>(1);
      createTask(async () => {
        for (const item of [1, 2, 3]) await queue.put(item);
        queue.shutdown();
      });
      const seen: number[] = [];
      for await (const item of queue) seen.push(item);
      expect(seen).toEqual([1, 2, 3]);
    }),
  );

  test('works outside of run, where a signal ends the wait', async () => {
    const queue = new Queue<number>(1);
    const controller = new AbortController();
    const cancelled = queue.get({ signal: controller.signal });
    const next = queue.get();
    controller.abort(new RangeError());
    expect(await errorOf(cancelled)).toBeInstanceOf(RangeError);
    await queue.put(1);
    expect(await next).toBe(1);
  });
});

test(
  'PriorityQueue orders as it is told, and equals as they came',
  program(async () => {
    type Item = { readonly priority: number; readonly name: string };
    const queue = new PriorityQueue<Item>(0, (a, b) => a.priority < b.priority);
    for (const name of ['b1', 'a1', 'b2', 'a2', 'b3']) queue.putNowait({ name, priority: name < 'b' ? 1 : 2 });
    const names = Array.from({ length: 5 }, () => queue.getNowait().name);
    expect(names).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
  }),
);

for (const [name, Kind] of Object.entries(kinds)) {
  describe(`${name}, joined and shut down`, () => {
    test(`refuses to be told of more than was put [${name}.test_task_done_underflow]`, () => {
      expect(thrownBy(() => new Kind<number>().taskDone())).toBeInstanceOf(RangeError);
    });

    test(
      `is joined when all items are worked on [${name}.test_task_done]`,
      program(async () => {
        const queue = new Kind<number>();
        for (let item = 0; item < 100; item += 1) queue.putNowait(item);
        let [sum, running] = [0, true];
        await taskGroup(async (group) => {
          for (const _worker of [1, 2]) {
            group.createTask(async () => {
              while (running) {
                sum += await queue.get();
                queue.taskDone();
              }
            });
          }
          await queue.join();
          expect(sum).toBe(4950);
          running = false;
          queue.putNowait(0);
          queue.putNowait(0);
        });
      }),
    );

    test(
      `is joined at once while nothing was put [${name}.test_join_empty_queue]`,
      program(async () => {
        const queue = new Kind<number>();
        await queue.join();
        await queue.join();
      }),
    );

    const expectShutDown = async (queue: Queue<string>) => {
      expect(await errorOf(queue.put('data'))).toBeInstanceOf(QueueShutDown);
      expect(thrownBy(() => queue.putNowait('data'))).toBeInstanceOf(QueueShutDown);
      expect(await errorOf(queue.get())).toBeInstanceOf(QueueShutDown);
      expect(thrownBy(() => queue.getNowait())).toBeInstanceOf(QueueShutDown);
    };

    test(
      `wakes those who wait to get when it is shut down empty [${name}.test_shutdown_empty]`,
      program(async () => {
        const queue = new Kind<string>();
        const getting = createTask(() => queue.get());
        await turns(1);
        queue.shutdown();
        await queue.join();
        await turns(1);
        expect([queue.qsize(), getting.done()]).toEqual([0, true]);
        expect(await errorOf(getting)).toBeInstanceOf(QueueShutDown);
        await expectShutDown(queue);
      }),
    );

    test(
      `gives the items it holds after it is shut down [${name}.test_shutdown_nonempty]`,
      program(async () => {
        const queue = new Kind<string>(1);
        queue.putNowait('data');
        const joining = createTask(() => queue.join());
        const putting = createTask(() => queue.put('data2'));
        await turns(1);
        expect(putting.done()).toBe(false);
        queue.shutdown();
        expect(queue.qsize()).toBe(1);
        await turns(1);
        expect(await errorOf(putting)).toBeInstanceOf(QueueShutDown);
        expect(await queue.get()).toBe('data');
        await turns(1);
        expect(joining.done()).toBe(false);
        await expectShutDown(queue);
        queue.taskDone();
        await turns(1);
        expect(joining.done()).toBe(true);
        expect(thrownBy(() => queue.taskDone())).toBeInstanceOf(RangeError);
      }),
    );

    for (const [id, taken] of [
      ['test_shutdown_immediate', 0],
      ['test_shutdown_immediate_with_unfinished', 1],
    ] as const) {
      test(
        `drops its items when it is shut down immediately with ${taken} in work [${name}.${id}]`,
        program(async () => {
          const queue = new Kind<string>();
          for (let item = 0; item <= taken; item += 1) queue.putNowait('data');
          const joining = createTask(() => queue.join());
          for (let item = 0; item < taken; item += 1) await queue.get();
          queue.shutdown({ immediate: true });
          await turns(1);
          expect([queue.qsize(), joining.done()]).toEqual([0, taken === 0]);
          await expectShutDown(queue);
          for (let item = 0; item < taken; item += 1) queue.taskDone();
          expect(thrownBy(() => queue.taskDone())).toBeInstanceOf(RangeError);
          await turns(1);
          expect(joining.done()).toBe(true);
        }),
      );
    }
  });
}
