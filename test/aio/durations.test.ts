import { describe, expect, test } from 'vitest';
import {
  asCompleted,
  Barrier,
  createTask,
  currentLoop,
  gather,
  map,
  moveOnAfter,
  Queue,
  run,
  Semaphore,
  sleep,
  TimeoutScope,
  timeout,
  timeoutAt,
  VirtualClock,
  wait,
  waitFor,
} from '../../src/aio/index.ts';
import { errorOf, now, program } from './support.ts';

const work = async () => 'done';
const task = () => createTask(work);
const iterate = async (source: AsyncIterable<unknown>) => {
  for await (const _ of source);
};

/** Every verb that takes a duration or an instant, and whether undefined means none. */
const durations: readonly (readonly [name: string, optional: boolean, call: (ms: number) => unknown])[] = [
  ['sleep', false, (ms) => sleep(ms)],
  ['timeout', true, (ms) => timeout(ms, work)],
  ['timeoutAt', true, (ms) => timeoutAt(ms, work)],
  ['moveOnAfter', true, (ms) => moveOnAfter(ms, work)],
  ['waitFor', true, (ms) => waitFor(work, ms)],
  ['wait', true, (ms) => wait([task()], { timeoutMs: ms })],
  ['asCompleted', true, (ms) => iterate(asCompleted([work], { timeoutMs: ms }))],
  ['callLater', false, (ms) => currentLoop().callLater(ms, work)],
  ['callAt', false, (ms) => currentLoop().callAt(ms, work)],
  ['TimeoutScope.after', true, (ms) => TimeoutScope.after(ms)],
  ['new TimeoutScope', true, (ms) => new TimeoutScope(ms)],
  ['reschedule', true, (ms) => timeout(1, (scope) => scope.reschedule(ms))],
  ['VirtualClock', true, (ms) => new VirtualClock({ startMs: ms })],
  ['advance', false, (ms) => new VirtualClock({ manual: true }).advance(ms)],
  ['block', false, (ms) => new VirtualClock().block(ms)],
];

/** Every verb that takes a count. */
const counts: readonly (readonly [name: string, call: (count: number) => unknown])[] = [
  ['Semaphore', (count) => new Semaphore(count)],
  ['Barrier', (count) => new Barrier(count)],
  ['Queue', (count) => new Queue(count)],
  ['gather', (concurrency) => gather([work], { concurrency })],
  ['asCompleted', (concurrency) => iterate(asCompleted([work], { concurrency }))],
  ['map', (concurrency) => iterate(map([1], work, { concurrency }))],
];

/** What callers without types give. */
const nonsense = ['1000', null, true, {}, 10n, new Date(0)] as unknown as number[];

const failureOf = (call: () => unknown) => errorOf((async () => await call())());

describe('a duration', () => {
  test.each(durations)('that is none is refused by %s', async (_, optional, call) => {
    await program(async () => {
      expect(await failureOf(() => call(Number.NaN))).toBeInstanceOf(RangeError);
      for (const value of nonsense) {
        const error = await failureOf(() => call(value));
        expect([value, (error as Error).constructor]).toEqual([value, TypeError]);
        expect((error as Error).message).toMatch(/^expected a number of milliseconds( or undefined)? as .+, got .+/);
      }
      const missing = undefined as unknown as number;
      if (optional) await call(missing);
      else expect(await failureOf(() => call(missing))).toBeInstanceOf(TypeError);
      expect(now()).toBe(0);
    })();
  });

  test('is checked outside of run too, and for slow callbacks', async () => {
    expect(await errorOf(sleep(Number.NaN))).toBeInstanceOf(RangeError);
    expect(await errorOf(timeout(Number.NaN, work))).toBeInstanceOf(RangeError);
    expect(await errorOf(run(work, { debug: true, slowCallbackMs: Number.NaN }))).toBeInstanceOf(RangeError);
  });

  test(
    'without an end never ends by itself',
    program(async () => {
      const sleeper = createTask(() => sleep(Number.POSITIVE_INFINITY));
      expect(await timeout(Number.POSITIVE_INFINITY, () => sleep(5))).toBe(undefined);
      expect([now(), sleeper.done()]).toEqual([5, false]);
    }),
  );
});

describe('a count', () => {
  test.each(counts)('that is none is refused by %s', async (_, call) => {
    await program(async () => {
      expect(await failureOf(() => call(Number.NaN))).toBeInstanceOf(RangeError);
      for (const value of nonsense) {
        const error = await failureOf(() => call(value));
        expect([value, (error as Error).constructor]).toEqual([value, TypeError]);
      }
    })();
  });
});
