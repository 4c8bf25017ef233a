import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { gather } from '../../src/aio/gather.ts';
import { CancelledError } from '../../src/aio/loop/errors.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { shield } from '../../src/aio/shield.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { errorOf, expectCancelled, now, program, turns } from './support.ts';

class Crash extends Error {}

/** Futures, and what gather takes: the futures themselves or functions that await them. */
function inputs<T>(count: number, wrap: boolean) {
  const futures = Array.from({ length: count }, () => new Future<T>());
  return { futures, awaitables: futures.map((future) => (wrap ? async () => await future : future)) };
}

for (const [name, wrap] of [
  ['FutureGatherTests', false],
  ['CoroutineGatherTests', true],
] as const) {
  describe(`gather of ${wrap ? 'functions' : 'futures'}`, () => {
    test(
      `gives the results in the order given, however they end [${name}.test_success, ${name}.test_result_exception_success]`,
      program(async () => {
        for (const returnExceptions of [false, true] as const) {
          const { futures, awaitables } = inputs<number>(3, wrap);
          const task = createTask(async () =>
            returnExceptions ? await gather(awaitables, { returnExceptions }) : await gather(awaitables),
          );
          await turns(2);
          for (const index of [1, 0, 2]) {
            expect(task.done()).toBe(false);
            futures[index]?.setResult(index);
            await turns(3);
          }
          const values = [0, 1, 2];
          expect(task.result()).toEqual(
            returnExceptions ? values.map((value) => ({ status: 'fulfilled', value })) : values,
          );
        }
      }),
    );

    test(
      `throws the first failure at once [${name}.test_one_exception]`,
      program(async () => {
        const { futures, awaitables } = inputs<number>(5, wrap);
        const task = createTask(() => gather(awaitables));
        await turns(2);
        futures[0]?.setResult(1);
        futures[1]?.setException(new Crash());
        expect(await errorOf(task)).toBeInstanceOf(Crash);
        futures[2]?.setResult(3);
        futures[3]?.cancel();
        futures[4]?.setException(new RangeError());
        await turns(3);
      }),
    );

    test(
      `gives every outcome when asked for [${name}.test_return_exceptions]`,
      program(async () => {
        const { futures, awaitables } = inputs<number>(4, wrap);
        const task = createTask(() => gather(awaitables, { returnExceptions: true }));
        await turns(2);
        futures[1]?.setResult(1);
        futures[2]?.setException(new Crash());
        futures[0]?.setResult(3);
        await turns(3);
        expect(task.done()).toBe(false);
        futures[3]?.setException(new RangeError());
        expect(await task).toEqual([
          { status: 'fulfilled', value: 3 },
          { status: 'fulfilled', value: 1 },
          { status: 'rejected', reason: expect.any(Crash) },
          { status: 'rejected', reason: expect.any(RangeError) },
        ]);
      }),
    );
  });
}

describe('gather', () => {
  test(
    'of nothing is empty [test_constructor_empty_sequence_use_running_loop, test_constructor_use_running_loop]',
    program(async () => {
      expect(await gather([])).toEqual([]);
    }),
  );

  test(
    'takes a cancelled one for a failure, and is not cancelled itself [test_one_cancellation]',
    program(async () => {
      const { futures, awaitables } = inputs<number>(3, false);
      const seen: unknown[] = [];
      const task = createTask(async () => {
        seen.push(await errorOf(gather(awaitables)));
        seen.push('went on');
      });
      await turns(1);
      futures[0]?.setResult(1);
      futures[1]?.cancel();
      await task;
      expect(seen).toEqual([expect.any(CancelledError), 'went on']);
    }),
  );

  test(
    'gives the cancelled ones among the outcomes when asked for [test_result_exception_one_cancellation]',
    program(async () => {
      const { futures, awaitables } = inputs<number>(4, false);
      const task = createTask(() => gather(awaitables, { returnExceptions: true }));
      await turns(1);
      futures[0]?.setResult(1);
      futures[1]?.setException(new Crash());
      futures[2]?.cancel();
      await turns(1);
      expect(task.done()).toBe(false);
      futures[3]?.cancel();
      const reasons = (await task).map((each) => (each.status === 'rejected' ? each.reason : each.value));
      expect(reasons).toEqual([1, expect.any(Crash), expect.any(CancelledError), expect.any(CancelledError)]);
    }),
  );

  test(
    'calls a function each time it is given, and awaits a task or promise once [test_duplicate_coroutines]',
    program(async () => {
      let calls = 0;
      const abc = async () => {
        calls += 1;
        return 'abc';
      };
      expect(await gather([abc, abc, async () => 'def', abc])).toEqual(['abc', 'abc', 'def', 'abc']);
      expect(calls).toBe(3);
      expect(await gather(Array(3).fill(abc), { concurrency: 2 })).toEqual(['abc', 'abc', 'abc']);
      expect(calls).toBe(6);
      const task = createTask(abc);
      const promise = Promise.resolve('ghi');
      expect(await gather([task, promise, task, promise])).toEqual(['abc', 'ghi', 'abc', 'ghi']);
      expect(calls).toBe(7);
    }),
  );

  test(
    'cancels all when it is cancelled [test_cancellation_broadcast]',
    program(async () => {
      const future = new Future<void>();
      const children = [createTask(async () => await future), createTask(async () => await future)];
      const outer = createTask(() => gather(children));
      await turns(2);
      expect(outer.cancel()).toBe(true);
      await expectCancelled(outer);
      expect([future.cancelled(), ...children.map((child) => child.cancelled())]).toEqual([true, true, true]);
    }),
  );

  test(
    'has seen the failures of those that fail after the first [test_exception_marking]',
    program(async () => {
      const futures = [new Future<void>(), new Future<void>()];
      const failing = futures.map((future) => async () => {
        await future;
        throw new Crash();
      });
      const task = createTask(() => gather(failing));
      await turns(2);
      futures[0]?.setResult();
      await turns(1);
      futures[1]?.setResult();
      await turns(3);
      expect(await errorOf(task)).toBeInstanceOf(Crash);
    }),
  );

  test(
    'refuses what cannot be awaited [test_issue46672]',
    program(async () => {
      // The cast stands for a caller without types.
      const wrong = {} as unknown as Promise<void>;
      expect(await errorOf(gather([async () => 'abc', wrong]))).toBeInstanceOf(TypeError);
    }),
  );

  test(
    'cannot be cancelled any more when all have ended [test_cancel_gather_1]',
    program(async () => {
      const future = new Future<number>();
      const task = createTask(() => gather([async () => await future]));
      await turns(2);
      future.setResult(42);
      await turns(3);
      expect([task.cancel(), await task]).toEqual([false, [42]]);
    }),
  );

  for (const reason of [undefined, 'my message', 5]) {
    test(
      `throws its cancellation for ${reason} although it gives outcomes [test_cancel_gather_2]`,
      program(async () => {
        const task = createTask(async () => {
          for (;;) await gather([() => sleep(50)], { returnExceptions: true });
        });
        await sleep(220);
        task.cancel(reason);
        expect((await expectCancelled(task)).reason).toBe(reason);
      }),
    );
  }

  test(
    'cancels shields and not what they protect [test_gather_shield]',
    program(async () => {
      const children = [new Future<number>(), new Future<number>()];
      const shields = children.map((child) => shield(child));
      const parent = createTask(() => gather(shields));
      await turns(1);
      parent.cancel();
      await expectCancelled(parent);
      expect([...shields, ...children].map((each) => each.cancelled())).toEqual([true, true, false, false]);
    }),
  );

  test(
    'runs no more at a time than it may, in their order',
    program(async () => {
      let [running, most] = [0, 0];
      const started: number[] = [];
      const bodies = Array.from({ length: 10 }, (_, index) => async () => {
        started.push(index);
        running += 1;
        most = Math.max(most, running);
        await sleep(10);
        running -= 1;
        return index;
      });
      const results = await gather(bodies, { concurrency: 3 });
      const order = Array.from({ length: 10 }, (_, index) => index);
      expect([results, started, most, now()]).toEqual([order, order, 3, 40]);
      expect(await errorOf(gather(bodies, { concurrency: 0 }))).toBeInstanceOf(RangeError);
    }),
  );

  test('runs outside of run, where a signal cancels it', async () => {
    const [one, two] = await gather([async () => 1, async () => 'two']);
    expect([one, two]).toEqual([1, 'two']);
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Crash()));
    expect(await errorOf(gather([() => sleep(60_000)], { signal: controller.signal }))).toBeInstanceOf(Crash);
  });
});
