import { describe, expect, test } from 'vitest';
import {
  CancelledError,
  createTask,
  currentTask,
  Event,
  ExceptionGroup,
  gather,
  moveOnAfter,
  sleep,
  TimeoutError,
  TimeoutScope,
  taskGroup,
  timeout,
  timeoutAt,
  waitFor,
  withSignal,
} from '../../src/aio/index.ts';
import { errorOf, me, now, program, turns } from './support.ts';

class Crash extends Error {}

/** Every verb that cancels the code inside it, and lets it go 10 ms from now. */
const verbs: readonly (readonly [name: string, call: (body: () => Promise<unknown>) => Promise<unknown>])[] = [
  ['timeout', (body) => timeout(10, body)],
  ['timeoutAt', (body) => timeoutAt(now() + 10, body)],
  ['moveOnAfter', (body) => moveOnAfter(10, body)],
  ['waitFor', (body) => waitFor(body, 10)],
  ['TimeoutScope', (body) => TimeoutScope.after(10).run(body)],
  [
    'a moved deadline',
    (body) =>
      timeout(1_000, (scope) => {
        scope.reschedule(now() + 10);
        return body();
      }),
  ],
  [
    'taskGroup',
    (body) =>
      taskGroup((group) => {
        group.createTask(async () => {
          await sleep(10);
          throw new Crash();
        });
        return body();
      }),
  ],
];

/** The waits that may stand beside it in the same task. */
const neighbours: readonly (readonly [name: string, call: () => PromiseLike<unknown>])[] = [
  ['sleep', () => sleep(50)],
  ['gather', () => gather([() => sleep(50)])],
  ['a task', () => createTask(() => sleep(50))],
  ['a timeout', () => timeout(100, () => sleep(50))],
  ['a group', () => taskGroup((group) => void group.createTask(() => sleep(50)))],
  ['two waits, one after the other', () => sleep(10).then(() => sleep(40))],
  [
    'a foreign call',
    () =>
      withSignal(async (signal) => {
        await sleep(50);
        signal.throwIfAborted();
      }),
  ],
  [
    "a call with the task's signal",
    async () => {
      const { signal } = me();
      await sleep(50);
      signal.throwIfAborted();
    },
  ],
];

describe.each(verbs)('%s in a Promise.all', (_, call) => {
  test.each(neighbours)('leaves its neighbour alone: %s', async (_, neighbour) => {
    await program(async () => {
      const [inside, beside] = await Promise.allSettled([call(() => sleep(1_000)), neighbour()]);
      expect(beside).toMatchObject({ status: 'fulfilled' });
      expect([now(), me().cancelling()]).toEqual([50, 0]);
      const ended = inside.status === 'rejected' ? inside.reason : inside.value;
      if (ended instanceof Error) expect([TimeoutError, ExceptionGroup]).toContain(ended.constructor);
      else expect(ended).toEqual({ timedOut: true });
      // Nothing is left over for the next wait.
      await sleep(1);
    })();
  });

  test(
    'interrupts everything inside it',
    program(async () => {
      const seen: number[] = [];
      const late = async () => {
        expect(await errorOf(sleep(1_000))).toBeInstanceOf(CancelledError);
        seen.push(now());
        throw new CancelledError();
      };
      await Promise.allSettled([call(async () => await Promise.all([late(), late()])), sleep(50)]);
      expect(seen).toEqual([10, 10]);
    }),
  );

  test(
    'is itself interrupted with its neighbour when the task is cancelled',
    program(async () => {
      const task = createTask(() => Promise.allSettled([call(() => sleep(1_000)), sleep(1_000)]));
      await sleep(5);
      task.cancel();
      await turns(5);
      const outcomes = await task;
      expect(outcomes.map((each) => each.status === 'rejected' && each.reason.constructor)).toEqual([
        CancelledError,
        CancelledError,
      ]);
      expect([now(), task.cancelling()]).toEqual([5, 1]);
    }),
  );
});

describe('timeouts beside each other', () => {
  test(
    'each report their own deadline',
    program(async () => {
      const one = TimeoutScope.after(10);
      const two = TimeoutScope.after(20);
      const outcomes = await Promise.allSettled([one.run(() => sleep(100)), two.run(() => sleep(100)), sleep(30)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
      expect([one.error?.name, two.error?.name, now()]).toEqual(['TimeoutError', 'TimeoutError', 30]);
    }),
  );

  test(
    'at the same instant do so too',
    program(async () => {
      const outcomes = await Promise.allSettled([timeout(10, () => sleep(20)), timeout(10, () => sleep(20))]);
      const names = outcomes.map((each) => each.status === 'rejected' && each.reason.name);
      expect([names, me().cancelling()]).toEqual([['TimeoutError', 'TimeoutError'], 0]);
    }),
  );

  test(
    'are interrupted by the one around them',
    program(async () => {
      const inner = TimeoutScope.after(20);
      const outer = timeout(10, () => Promise.all([inner.run(() => sleep(100)), sleep(100)]));
      expect(await errorOf(Promise.all([outer, sleep(30)]))).toBeInstanceOf(TimeoutError);
      expect([inner.expired(), now()]).toEqual([false, 10]);
      await sleep(30);
    }),
  );

  test(
    'fire the signals of their own code only',
    program(async () => {
      const signals: AbortSignal[] = [];
      const keep = async (ms: number) => {
        signals.push(currentTask()?.signal ?? AbortSignal.abort());
        await sleep(ms);
      };
      await Promise.allSettled([timeout(10, () => keep(100)), keep(50)]);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    }),
  );
});

describe('TimeoutScope', () => {
  test(
    'says afterwards whether it expired, also when the code inside swallowed that',
    program(async () => {
      const swallowed = TimeoutScope.after(10);
      await swallowed.run(() => sleep(100).catch(() => {}));
      const expired = TimeoutScope.after(10);
      await errorOf(expired.run(() => sleep(100)));
      const inTime = TimeoutScope.after(10);
      await inTime.run(() => sleep(5));
      const asked = [swallowed, expired, inTime].map((scope) => [scope.expired(), scope.error !== undefined]);
      expect(asked).toEqual([
        [true, false],
        [true, true],
        [false, false],
      ]);
    }),
  );

  test(
    'counts from when it is made, and may be made without an end',
    program(async () => {
      const scope = TimeoutScope.after(10);
      await sleep(5);
      await errorOf(scope.run(() => new Event().wait()));
      expect([now(), scope.when(), TimeoutScope.after(undefined).when()]).toEqual([10, 10, undefined]);
    }),
  );
});
