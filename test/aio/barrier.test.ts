import { describe, expect, test } from 'vitest';
import { Barrier } from '../../src/aio/barrier.ts';
import { createTask } from '../../src/aio/create-task.ts';
import { gather } from '../../src/aio/gather.ts';
import { BrokenBarrierError } from '../../src/aio/loop/errors.ts';
import { expectCancelled, program, thrownBy, turns } from './support.ts';

const parties = 5;
const many = (count: number, body: () => Promise<unknown>) => Array.from({ length: count }, () => createTask(body));
const sorted = (numbers: readonly unknown[]) => [...numbers].sort();

/** Awaits, and says whether the barrier broke. */
async function breaks(waiting: Promise<unknown>): Promise<boolean> {
  try {
    await waiting;
    return false;
  } catch (error) {
    if (error instanceof BrokenBarrierError) return true;
    throw error;
  }
}

describe('Barrier', () => {
  test('needs at least one party [test_barrier_parties, test_barrier]', () => {
    for (const count of [0, -4]) expect(thrownBy(() => new Barrier(count))).toBeInstanceOf(RangeError);
    expect(new Barrier(parties)).toMatchObject({ parties, nWaiting: 0, broken: false });
  });

  test(
    'lets all go when the last has come, with a number each [test_context_manager, test_filling_tasks_check_return_value]',
    program(async () => {
      const barrier = new Barrier(3);
      const results = await gather(many(3, () => barrier.wait()));
      expect([sorted(results), barrier.nWaiting, barrier.broken]).toEqual([[0, 1, 2], 0, false]);
    }),
  );

  test(
    'of one party stops nobody, again and again [test_filling_one_task, test_filling_one_task_twice]',
    program(async () => {
      const barrier = new Barrier(1);
      const first = createTask(() => barrier.wait());
      await turns(1);
      expect(barrier.nWaiting).toBe(0);
      const second = createTask(() => barrier.wait());
      await turns(1);
      expect([first.result(), second.result(), barrier.nWaiting, barrier.broken]).toEqual([0, 0, 0, false]);
    }),
  );

  test(
    'counts those who wait [test_filling_task_by_task]',
    program(async () => {
      const barrier = new Barrier(3);
      const tasks = [createTask(() => barrier.wait())];
      await turns(1);
      expect(barrier.nWaiting).toBe(1);
      tasks.push(createTask(() => barrier.wait()));
      await turns(1);
      expect(barrier.nWaiting).toBe(2);
      tasks.push(createTask(() => barrier.wait()));
      await gather(tasks);
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    }),
  );

  test(
    'can be used twice in a row by the same tasks [test_filling_tasks_wait_twice, test_draining_state]',
    program(async () => {
      const barrier = new Barrier(parties);
      const results: boolean[] = [];
      const body = async () => {
        for (const first of [true, false]) {
          await barrier.wait();
          results.push(first);
        }
      };
      await gather(many(parties, body));
      expect(results).toEqual([...Array(parties).fill(true), ...Array(parties).fill(false)]);
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    }),
  );

  test(
    'holds back those who come while it drains [test_blocking_tasks_while_draining]',
    program(async () => {
      const barrier = new Barrier(parties);
      const others = new Barrier(parties - 2);
      let again = 2;
      let passed = 0;
      const body = async () => {
        await barrier.wait();
        if (again > 0) again -= 1;
        else await others.wait();
        await barrier.wait();
        passed += 1;
      };
      await gather(many(parties, body));
      expect(passed).toBe(parties);
    }),
  );

  test(
    'does not count one whose wait is cancelled [test_filling_tasks_cancel_one]',
    program(async () => {
      const barrier = new Barrier(3);
      const first = createTask(() => barrier.wait());
      const second = createTask(() => barrier.wait());
      await turns(1);
      expect(barrier.nWaiting).toBe(2);
      first.cancel();
      await turns(1);
      expect(barrier.nWaiting).toBe(1);
      await expectCancelled(first);
      const third = createTask(() => barrier.wait());
      await turns(1);
      expect(barrier.nWaiting).toBe(2);
      const fourth = createTask(() => barrier.wait());
      // Python's numbers are not unique either once somebody was cancelled.
      expect(sorted(await gather([second, third, fourth]))).toEqual([1, 1, 2]);
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    }),
  );

  test(
    'can be reset and aborted while nobody waits [test_reset_barrier, test_abort_barrier]',
    program(async () => {
      const barrier = new Barrier(1);
      await barrier.reset();
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
      await barrier.abort();
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, true]);
    }),
  );

  test(
    'breaks for those who wait when it is reset, and works again [test_reset_barrier_while_tasks_waiting]',
    program(async () => {
      const barrier = new Barrier(parties);
      const tasks = many(parties - 1, () => breaks(barrier.wait()));
      await turns(1);
      createTask(() => barrier.reset());
      expect(await gather(tasks)).toEqual(Array(parties - 1).fill(true));
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    }),
  );

  for (const [id, again] of [
    ['test_reset_barrier_when_tasks_half_draining', false],
    ['test_reset_barrier_when_tasks_half_draining_half_blocking', true],
  ] as const) {
    test(
      `breaks for those who have not left when it is reset while draining${again ? ', not for those who come again' : ''} [${id}]`,
      program(async () => {
        const barrier = new Barrier(parties);
        const half = Math.floor(parties / 2);
        const broken: string[] = [];
        let left = 0;
        const body = async () => {
          if (await breaks(barrier.wait())) {
            broken.push('draining');
            if (again) await barrier.wait();
            return;
          }
          left += 1;
          if (left > half) {
            await barrier.reset();
            if (again) await barrier.wait();
          } else if (again && (await breaks(barrier.wait()))) {
            broken.push('blocked');
          }
        };
        await gather(many(parties, body));
        expect(broken).toEqual(Array(half).fill('draining'));
        expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
      }),
    );
  }

  test(
    'takes those whom a reset broke again [test_reset_barrier_while_tasks_waiting_and_waiting_again]',
    program(async () => {
      const barrier = new Barrier(parties);
      let [broken, passed] = [0, 0];
      const body = async () => {
        if (await breaks(barrier.wait())) broken += 1;
        await barrier.wait();
        passed += 1;
      };
      const tasks = many(parties - 1, body);
      createTask(() => barrier.reset());
      await turns(1);
      const last = createTask(async () => {
        await barrier.wait();
        passed += 1;
      });
      await gather([...tasks, last]);
      expect([broken, passed, barrier.nWaiting, barrier.broken]).toEqual([parties - 1, parties, 0, false]);
    }),
  );

  test(
    'is not broken by a reset of the last who left [test_reset_barrier_while_tasks_draining]',
    program(async () => {
      const barrier = new Barrier(parties);
      const seen: string[] = [];
      let count = 0;
      const body = async () => {
        await barrier.wait();
        count += 1;
        if (count === parties) await barrier.reset();
        seen.push((await breaks(barrier.wait())) ? 'broken' : 'passed');
        await barrier.wait();
        seen.push('last');
      };
      await gather(many(parties, body));
      expect(seen).toEqual([...Array(parties).fill('passed'), ...Array(parties).fill('last')]);
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    }),
  );

  test(
    'breaks for all when it is aborted while draining [test_abort_barrier_when_tasks_half_draining_half_blocking]',
    program(async () => {
      const barrier = new Barrier(parties);
      const half = Math.floor(parties / 2);
      const broken: string[] = [];
      let left = 0;
      const body = async () => {
        if (await breaks(barrier.wait())) {
          broken.push('draining');
          return;
        }
        left += 1;
        if (left > half) await barrier.abort();
        else if (await breaks(barrier.wait())) broken.push('blocked');
      };
      await gather(many(parties, body));
      expect(sorted(broken)).toEqual([...Array(parties - half - 1).fill('blocked'), ...Array(half).fill('draining')]);
      expect([barrier.nWaiting, barrier.broken]).toEqual([0, true]);
    }),
  );

  for (const [id, reset] of [
    ['test_abort_barrier_when_exception', false],
    ['test_abort_barrier_when_exception_then_resetting', true],
  ] as const) {
    test(
      `breaks for all when one of them aborts it${reset ? ', until it is reset' : ''} [${id}]`,
      program(async () => {
        const barrier = new Barrier(parties);
        const meeting = new Barrier(parties);
        let [passed, broken, last] = [0, 0, 0];
        const body = async () => {
          const round = async () => {
            const index = await barrier.wait();
            if (index === 2) await barrier.abort();
            else await barrier.wait();
            if (index !== 2) passed += 1;
          };
          if (await breaks(round())) broken += 1;
          if (!reset) return;
          if ((await meeting.wait()) === 2) await barrier.reset();
          await meeting.wait();
          await barrier.wait();
          last += 1;
        };
        await gather(many(parties, body));
        expect([passed, broken, last]).toEqual([0, parties - 1, reset ? parties : 0]);
        expect([barrier.nWaiting, barrier.broken]).toEqual([0, !reset]);
      }),
    );
  }
});
