import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { gather } from '../../src/aio/gather.ts';
import { Future } from '../../src/aio/loop/future.ts';
import { shield } from '../../src/aio/shield.ts';
import { expectCancelled, program, turns } from './support.ts';

describe('shield', () => {
  test(
    'ends as what it protects does [test_shield_result, test_shield_exception, test_shield_cancel_inner]',
    program(async () => {
      const futures = [new Future<number>(), new Future<number>(), new Future<number>()] as const;
      const shields = futures.map((future) => shield(future));
      futures[0].setResult(42);
      const error = new Error('expected');
      futures[1].setException(error);
      futures[2].cancel();
      await turns(1);
      expect([shields[0]?.result(), shields[1]?.exception(), shields[2]?.cancelled()]).toEqual([42, error, true]);
    }),
  );

  test(
    'forgets what it protects when it is cancelled [test_shield_cancel_outer]',
    program(async () => {
      const inner = new Future<number>();
      const outer = shield(inner);
      outer.cancel();
      await turns(1);
      expect([outer.cancelled(), inner.done()]).toEqual([true, false]);
      inner.setResult(1);
      await turns(1);
    }),
  );

  test(
    'is not needed for what is done [test_shield_shortcut]',
    program(async () => {
      const future = new Future<number>();
      future.setResult(42);
      expect(shield(future)).toBe(future);
    }),
  );

  test(
    'keeps the cancellation of the one who waits from what it protects [test_shield_effect]',
    program(async () => {
      const future = new Future<void>();
      let proof = 0;
      const outer = createTask(async () => {
        await shield(async () => {
          await future;
          proof += 1;
        });
        proof += 100;
      });
      await turns(2);
      outer.cancel();
      await expectCancelled(outer);
      future.setResult();
      await turns(2);
      expect(proof).toBe(1);
    }),
  );

  test(
    'protects a gather [test_shield_gather]',
    program(async () => {
      const children = [new Future<number>(), new Future<number>()];
      const parent = createTask(() => gather(children));
      const outer = shield(parent);
      await turns(1);
      outer.cancel();
      expect(outer.cancelled()).toBe(true);
      children[0]?.setResult(1);
      children[1]?.setResult(2);
      expect(await parent).toEqual([1, 2]);
    }),
  );

  test(
    'starts a function as a task of the running loop [test_shield_coroutine_use_running_loop]',
    program(async () => {
      const outer = shield(async () => 42);
      expect(await outer).toBe(42);
    }),
  );
});
