import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { InvalidStateError } from '../../src/aio/loop/errors.ts';
import { map } from '../../src/aio/map.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { errorOf, expectCancelled, now, program, turns } from './support.ts';

class Crash extends Error {}

/** A source that notes how far it was read and whether it was closed. */
function source(count: number, delayMs = 0) {
  const state = { read: 0, closed: false };
  const items = (async function* () {
    try {
      for (let item = 0; item < count; item += 1) {
        if (delayMs > 0) await sleep(delayMs);
        state.read += 1;
        yield item;
      }
    } finally {
      state.closed = true;
    }
  })();
  return { state, items };
}

describe('map', () => {
  test(
    'yields the results in the order of the source, never working on more items than it may',
    program(async () => {
      let [running, most] = [0, 0];
      const seen: number[] = [];
      const body = async (item: number, index: number) => {
        running += 1;
        most = Math.max(most, running);
        await sleep(100 - item * 10);
        running -= 1;
        return item * 10 + index;
      };
      for await (const result of map([0, 1, 2, 3, 4], body, { concurrency: 3 })) seen.push(result);
      expect([seen, most]).toEqual([[0, 11, 22, 33, 44], 3]);
    }),
  );

  test(
    'reads the source only as far ahead as it may while nobody takes results',
    program(async () => {
      const { items, state } = source(100);
      const results = map(items, async (item) => item, { concurrency: 4 });
      expect((await results.next()).value).toBe(0);
      await sleep(1000);
      expect(state.read).toBe(4);
      expect((await results.next()).value).toBe(1);
      await sleep(1000);
      expect(state.read).toBe(5);
      await results.return();
      expect(state.closed).toBe(true);
    }),
  );

  test(
    'yields a result while the source is slow',
    program(async () => {
      const { items } = source(3, 100);
      const seen: [number, number][] = [];
      for await (const result of map(items, async (item) => item, { concurrency: 10 })) seen.push([result, now()]);
      expect(seen).toEqual([
        [0, 100],
        [1, 200],
        [2, 300],
      ]);
    }),
  );

  test(
    'throws the first failure, ends the others, and closes the source',
    program(async () => {
      const { items, state } = source(10);
      const ended: number[] = [];
      const body = async (item: number) => {
        if (item === 1) {
          await sleep(5);
          throw new Crash();
        }
        await sleep(1000).finally(() => ended.push(item));
      };
      const results = map(items, body, { concurrency: 3 });
      expect(await errorOf(results.next())).toBeInstanceOf(Crash);
      expect([ended, state, now()]).toEqual([[0, 2], { read: 3, closed: true }, 5]);
    }),
  );

  test(
    'throws the failure of its source',
    program(async () => {
      const failing = async function* () {
        yield 1;
        throw new Crash();
      };
      const results = map(failing(), async (item) => item, { concurrency: 1 });
      expect((await results.next()).value).toBe(1);
      expect(await errorOf(results.next())).toBeInstanceOf(Crash);
    }),
  );

  test(
    'ends what it started when the one who takes results is cancelled',
    program(async () => {
      const { items, state } = source(10);
      let ended = 0;
      const task = createTask(async () => {
        const body = () =>
          sleep(1000).finally(() => {
            ended += 1;
          });
        for await (const _ of map(items, body, { concurrency: 2 })) throw new Error('there is no result');
      });
      await turns(10);
      task.cancel();
      await expectCancelled(task);
      expect([ended, state.closed]).toEqual([2, true]);
    }),
  );

  test('works inside run only, and needs a concurrency', async () => {
    expect(await errorOf(map([1], (item) => item, { concurrency: 1 }).next())).toBeInstanceOf(InvalidStateError);
    expect(await errorOf(map([1], (item) => item, { concurrency: 0 }).next())).toBeInstanceOf(RangeError);
  });
});
