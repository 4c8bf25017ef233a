import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { asCompleted, createTask, gather, map, run, shield, sleep, taskGroup, waitFor } from '../../src/aio/index.ts';
import { program, turns } from './support.ts';

const store = new AsyncLocalStorage<string>();
const read = async () => {
  const before = store.getStore();
  await sleep(1);
  return [before, store.getStore()];
};

/** Every verb that makes a task of a function. */
const starters: readonly (readonly [name: string, start: (body: typeof read) => PromiseLike<unknown>])[] = [
  ['createTask', (body) => createTask(body)],
  ['taskGroup', (body) => taskGroup((group) => group.createTask(body))],
  ['gather', async (body) => (await gather([body]))[0]],
  ['gather with a concurrency', async (body) => (await gather([body, body], { concurrency: 1 }))[1]],
  ['shield', (body) => shield(body)],
  ['waitFor', (body) => waitFor(body, 10)],
  [
    'asCompleted',
    async (body) => {
      for await (const { task } of asCompleted([body])) return task.result();
      return undefined;
    },
  ],
  [
    'map',
    async (body) => {
      for await (const value of map([1], body, { concurrency: 1 })) return value;
      return undefined;
    },
  ],
];

describe("somebody else's AsyncLocalStorage", () => {
  test.each(starters)('is in a task of %s what it was where that was started', async (_, start) => {
    await program(async () => {
      const [one, none, two] = [
        store.run('one', () => start(read)),
        start(read),
        store.run('two', () => start(read)),
      ].map((each) => Promise.resolve(each));
      expect([await one, await none, await two]).toEqual([
        ['one', 'one'],
        [undefined, undefined],
        ['two', 'two'],
      ]);
    })();
  });

  test(
    'does not leak from a task that sets it for itself into the next',
    program(async () => {
      const seen: unknown[] = [];
      createTask(async () => {
        store.enterWith('mine');
        await sleep(0);
        seen.push(store.getStore());
      });
      createTask(async () => {
        seen.push(store.getStore());
        await sleep(1);
        seen.push(store.getStore());
      });
      await turns(5);
      await sleep(2);
      expect([seen, store.getStore()]).toEqual([[undefined, 'mine', undefined], undefined]);
    }),
  );

  test('is in the first task what it is around run, and afterwards still', async () => {
    await store.run('outside', async () => {
      expect(await run(read)).toEqual(['outside', 'outside']);
      expect(store.getStore()).toBe('outside');
    });
  });
});
