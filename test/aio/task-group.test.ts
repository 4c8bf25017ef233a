import { describe, expect, test } from 'vitest';
import { createTask } from '../../src/aio/create-task.ts';
import { Event } from '../../src/aio/event.ts';
import { ExceptionGroup } from '../../src/aio/exception-group.ts';
import { contextVar, copyContext } from '../../src/aio/loop/context-var.ts';
import { CancelledError, InvalidStateError, isCancellation } from '../../src/aio/loop/errors.ts';
import type { Task } from '../../src/aio/loop/task.ts';
import { sleep } from '../../src/aio/sleep.ts';
import { TaskGroup, taskGroup } from '../../src/aio/task-group.ts';
import { timeout } from '../../src/aio/timeout.ts';
import { errorOf, expectCancelled, me, now, program, thrownBy, turns } from './support.ts';

class Crash extends Error {}
class Other extends Error {}

const crashAfter = (delayMs: number) => async () => {
  await sleep(delayMs);
  throw new Crash();
};
const later =
  <T>(delayMs: number, value: T) =>
  async () => {
    await sleep(delayMs);
    return value;
  };
const crashInCleanup = async () => {
  try {
    await sleep(10_000);
  } finally {
    // biome-ignore lint/correctness/noUnsafeFinally: a cleanup that fails is what is tested.
    throw new Crash();
  }
};

async function groupOf(promise: PromiseLike<unknown>): Promise<ExceptionGroup> {
  const error = await errorOf(promise);
  expect(error).toBeInstanceOf(ExceptionGroup);
  return error as ExceptionGroup;
}

const classes = (group: ExceptionGroup) => group.errors.map((error: object) => error.constructor);

/** Starts the body as a task, cancels it 100 ms later, and gives the task. */
async function cancelledLater(body: () => Promise<unknown>): Promise<{ readonly task: Task<unknown> }> {
  const task = createTask(body);
  await sleep(100);
  expect(task.done()).toBe(false);
  task.cancel();
  // A task in an object: an async function that returns the task itself would await it.
  return { task };
}

describe('taskGroup', () => {
  test(
    'waits for every task and returns the result of its body [test_taskgroup_01]',
    program(async () => {
      const [first, second] = await taskGroup(async (group) => [
        group.createTask(later(100, 42)),
        group.createTask(later(200, 11)),
      ]);
      expect([first?.result(), second?.result(), now()]).toEqual([42, 11, 200]);
    }),
  );

  test(
    'takes tasks while others run [test_taskgroup_02]',
    program(async () => {
      const results: (() => number)[] = [];
      await taskGroup(async (group) => {
        const first = group.createTask(later(100, 42));
        await sleep(150);
        const second = group.createTask(later(200, 11));
        results.push(
          () => first.result(),
          () => second.result(),
        );
      });
      expect([...results.map((result) => result()), now()]).toEqual([42, 11, 350]);
    }),
  );

  test(
    'goes on when one of its tasks is cancelled by hand [test_taskgroup_03]',
    program(async () => {
      const tasks = await taskGroup(async (group) => {
        const first = group.createTask(later(1000, 42));
        await sleep(150);
        first.cancel();
        return [first, group.createTask(later(200, 11))] as const;
      });
      expect([tasks[0].cancelled(), tasks[1].result(), now()]).toEqual([true, 11, 350]);
    }),
  );

  test(
    'cancels the siblings of a task that fails [test_taskgroup_04]',
    program(async () => {
      const seen: string[] = [];
      let sibling: Task<void> | undefined;
      const failing = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(crashAfter(100));
          sibling = group.createTask(async () => {
            try {
              await sleep(1000);
              seen.push('went on');
            } catch (error) {
              seen.push('cancelled');
              throw error;
            }
          });
        });
        seen.push('body went on');
      });
      expect(classes(await groupOf(failing))).toEqual([Crash]);
      expect([seen, sibling?.cancelled(), now()]).toEqual([['cancelled'], true, 100]);
    }),
  );

  test(
    'carries every failure, and interrupts its own body [test_cancel_children_on_child_error]',
    program(async () => {
      let interrupted = false;
      const failing = taskGroup(async (group) => {
        for (const delayMs of [100, 100, 100]) group.createTask(crashAfter(delayMs));
        group.createTask(later(5000, 'late'));
        try {
          await sleep(10_000);
        } catch (error) {
          interrupted = true;
          throw error;
        }
      });
      expect(classes(await groupOf(failing))).toEqual([Crash, Crash, Crash]);
      expect([interrupted, me().cancelling()]).toEqual([true, 0]);
    }),
  );

  test(
    'cancels its tasks when it is cancelled while it waits for them [test_cancellation]',
    program(async () => {
      let cancelled = 0;
      const child = async () => {
        try {
          await sleep(5000);
        } catch (error) {
          cancelled += 1;
          throw error;
        }
      };
      const { task } = await cancelledLater(() =>
        taskGroup((group) => {
          for (let n = 0; n < 5; n += 1) group.createTask(child);
        }),
      );
      await expectCancelled(task);
      expect(cancelled).toBe(5);
    }),
  );

  test(
    'cancels its tasks when its body is cancelled [test_taskgroup_07]',
    program(async () => {
      const seen: string[] = [];
      const noting = (what: string) => async () => {
        try {
          await sleep(5000);
        } catch (error) {
          seen.push(what);
          throw error;
        }
      };
      const { task } = await cancelledLater(() =>
        taskGroup(async (group) => {
          for (let n = 0; n < 3; n += 1) group.createTask(noting('child'));
          await noting('body')();
        }),
      );
      await expectCancelled(task);
      expect(seen).toEqual(['body', 'child', 'child', 'child']);
    }),
  );

  test(
    'reports failures of cleanups rather than the cancellation from outside [test_taskgroup_08]',
    program(async () => {
      const { task } = await cancelledLater(() =>
        taskGroup(async (group) => {
          for (let n = 0; n < 5; n += 1) group.createTask(crashInCleanup);
          await sleep(10_000);
        }),
      );
      expect(classes(await groupOf(task))).toEqual([Crash, Crash, Crash, Crash, Crash]);
    }),
  );

  for (const [id, delayMs] of [
    ['test_taskgroup_09', 100],
    ['test_taskgroup_10', 0],
  ] as const) {
    test(
      `cancels its tasks when its body fails ${delayMs > 0 ? 'after a wait' : 'at once'} [${id}]`,
      program(async () => {
        const tasks: Task<number>[] = [];
        const failing = taskGroup(async (group) => {
          tasks.push(group.createTask(later(1000, 42)), group.createTask(later(2000, 11)));
          if (delayMs > 0) await sleep(delayMs);
          throw new Crash();
        });
        expect(classes(await groupOf(failing))).toEqual([Crash]);
        expect(tasks.map((task) => task.cancelled())).toEqual([true, true]);
      }),
    );
  }

  for (const [id, siblings] of [
    ['test_taskgroup_11', 0],
    ['test_taskgroup_12', 1],
  ] as const) {
    test(
      `nests the group of an inner group beside ${siblings} sibling [${id}]`,
      program(async () => {
        const { task } = await cancelledLater(() =>
          taskGroup(async (outer) => {
            for (let n = 0; n < siblings; n += 1) outer.createTask(later(10_000, undefined));
            await taskGroup(async (inner) => {
              for (let n = 0; n < 5; n += 1) inner.createTask(crashInCleanup);
              await sleep(10_000);
            });
          }),
        );
        const group = await groupOf(task);
        expect(classes(group)).toEqual([ExceptionGroup]);
        expect([...group.leaves()].map((error) => (error as object).constructor)).toEqual(Array(5).fill(Crash));
      }),
    );
  }

  for (const [id, outerMs, innerMs, expected] of [
    ['test_taskgroup_13', 100, 10_000, Crash],
    ['test_taskgroup_14', 10_000, 100, ExceptionGroup],
  ] as const) {
    test(
      `reports a failure after ${outerMs} ms outside and ${innerMs} ms inside [${id}]`,
      program(async () => {
        const failing = taskGroup(async (outer) => {
          outer.createTask(crashAfter(outerMs));
          await taskGroup((inner) => {
            inner.createTask(crashAfter(innerMs));
          });
        });
        expect(classes(await groupOf(failing))).toEqual([expected]);
      }),
    );
  }

  const crashDuringCleanup = () =>
    taskGroup(async (group) => {
      group.createTask(crashAfter(300));
      try {
        await sleep(10_000);
      } catch (error) {
        await sleep(500);
        throw error;
      }
    });

  test(
    'reports a failure that comes while its cancelled body cleans up, and interrupts that [test_taskgroup_15]',
    program(async () => {
      const { task } = await cancelledLater(crashDuringCleanup);
      expect(classes(await groupOf(task))).toEqual([Crash]);
      expect(now()).toBe(300);
    }),
  );

  test(
    'does so in a task that another awaits [test_taskgroup_16]',
    program(async () => {
      const { task } = await cancelledLater(async () => await createTask(crashDuringCleanup));
      expect(classes(await groupOf(task))).toEqual([Crash]);
    }),
  );

  test(
    'lets a cancellation from outside through when there is no failure [test_taskgroup_17]',
    program(async () => {
      let seen = 0;
      const { task } = await cancelledLater(() =>
        taskGroup(async () => {
          try {
            await sleep(10_000);
          } catch (error) {
            seen += 1;
            throw error;
          }
        }),
      );
      await expectCancelled(task);
      expect(seen).toBe(1);
    }),
  );

  test(
    'carries the error that its body made of a cancellation [test_taskgroup_18]',
    program(async () => {
      const { task } = await cancelledLater(() =>
        taskGroup(async () => {
          await sleep(10_000).catch(() => {
            throw new Other();
          });
        }),
      );
      expect(classes(await groupOf(task))).toEqual([Other]);
    }),
  );

  test(
    'carries the failure of a task and the one of its interrupted body [test_taskgroup_19]',
    program(async () => {
      const failing = taskGroup(async (group) => {
        group.createTask(crashAfter(100));
        await sleep(10_000).finally(() => {
          throw new Other();
        });
      });
      expect(classes(await groupOf(failing))).toEqual([Crash, Other]);
    }),
  );

  test(
    'can be cancelled early [test_taskgroup_22]',
    program(async () => {
      const task = createTask(() =>
        taskGroup((group) => {
          group.createTask(later(1000, 42));
          group.createTask(later(2000, 11));
        }),
      );
      await sleep(50);
      task.cancel();
      await expectCancelled(task);
      expect(now()).toBe(50);
    }),
  );

  test(
    'forgets tasks that have ended [test_taskgroup_23]',
    program(async () => {
      await taskGroup(async (group) => {
        for (let count = 0; count < 10; count += 1) {
          await sleep(100);
          group.createTask(later(300, undefined));
          if (count === 5) expect(group.running).toBeLessThan(5);
        }
        await sleep(1350);
        expect(group.running).toBe(0);
      });
    }),
  );

  test(
    'waits for tasks that its tasks added [test_taskgroup_24]',
    program(async () => {
      await taskGroup((group) => {
        group.createTask(async () => {
          await sleep(100);
          group.createTask(later(100, undefined));
          group.createTask(later(200, undefined));
        });
      });
      expect(now()).toBe(300);
    }),
  );

  test(
    'ends tasks that multiply when one fails [test_taskgroup_25]',
    program(async () => {
      let heads = 0;
      const failing = taskGroup((group) => {
        const hydra = async (): Promise<void> => {
          heads += 1;
          await sleep(10);
          group.createTask(hydra);
          group.createTask(hydra);
        };
        group.createTask(hydra);
        group.createTask(async () => {
          while (heads < 10) await sleep(15);
          throw new Crash();
        });
      });
      expect(classes(await groupOf(failing))).toEqual([Crash]);
      expect(heads).toBeGreaterThanOrEqual(10);
    }),
  );

  test(
    'gives its tasks the name asked for [test_taskgroup_task_name]',
    program(async () => {
      const name = await taskGroup((group) => group.createTask(() => sleep(0), { name: 'yolo' }).name);
      expect(name).toBe('yolo');
    }),
  );

  test(
    'gives its tasks the context asked for [test_taskgroup_task_context]',
    program(async () => {
      const variable = contextVar<number>('variable');
      const context = copyContext();
      const setting = (value: number) => async () => {
        await sleep(0);
        variable.set(value);
      };
      await taskGroup(async (group) => {
        expect(context.get(variable)).toBeUndefined();
        for (const value of [1, 2]) {
          await group.createTask(setting(value), { context });
          expect(context.get(variable)).toBe(value);
        }
      });
    }),
  );

  test(
    'refuses further tasks once one has failed [test_taskgroup_no_create_task_after_failure]',
    program(async () => {
      let refusal: unknown;
      const failing = taskGroup((group) => {
        group.createTask(crashAfter(1));
        group.createTask(async () => {
          await sleep(1000).catch(() => {
            refusal = thrownBy(() => group.createTask(crashAfter(1)));
          });
        });
      });
      expect(classes(await groupOf(failing))).toEqual([Crash]);
      expect(refusal).toBeInstanceOf(InvalidStateError);
    }),
  );

  test(
    'carries the error of a resource closed inside it, and leaves no request behind [test_taskgroup_context_manager_exit_raises]',
    program(async () => {
      const failing = taskGroup(async (group) => {
        try {
          group.createTask(async () => {
            throw new Crash();
          });
          await sleep(1000);
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: a resource that fails to close is what is tested.
          throw new Crash();
        }
      });
      expect(classes(await groupOf(failing))).toEqual([Crash, Crash]);
      expect(me().cancelling()).toBe(0);
    }),
  );

  test(
    'refuses tasks after it has finished [test_taskgroup_finished]',
    program(async () => {
      const group = await taskGroup(async (entered) => entered);
      expect(thrownBy(() => group.createTask(() => sleep(0)))).toMatchObject({ message: 'the task group is finished' });
    }),
  );

  test(
    'takes back the request it made to interrupt its body [test_cancelling_level_preserved]',
    program(async () => {
      await groupOf(
        taskGroup((group) => {
          group.createTask(crashAfter(0));
        }),
      );
      expect(me().cancelling()).toBe(0);
    }),
  );

  test(
    'keeps the request of an outer group that failed as well [test_nested_groups_both_cancelled]',
    program(async () => {
      const failing = taskGroup(async (outer) => {
        const inside = taskGroup((inner) => {
          inner.createTask(crashAfter(0));
          outer.createTask(async () => {
            await sleep(0);
            throw new Other();
          });
        });
        expect(classes(await groupOf(inside))).toEqual([Crash]);
        expect(me().cancelling()).toBe(1);
      });
      expect(classes(await groupOf(failing))).toEqual([Other]);
      expect(me().cancelling()).toBe(0);
    }),
  );

  test(
    'delivers a cancellation from outside at the next wait when failures came first [test_error_and_cancel]',
    program(async () => {
      const started = new Event();
      const seen: unknown[] = [];
      const task = createTask(async () => {
        const failing = taskGroup(async (group) => {
          group.createTask(async () => {
            started.set();
            await sleep(0);
            throw new Crash();
          });
          await sleep(1000);
          seen.push('the sleep in the group went on');
        });
        await groupOf(failing);
        seen.push(me().cancelling());
        await sleep(1000);
        seen.push('the sleep after the group went on');
      });
      await started.wait();
      expect(task.cancelling()).toBe(0);
      task.cancel();
      expect(task.cancelling()).toBe(1);
      await expectCancelled(task);
      expect(seen).toEqual([1]);
    }),
  );

  test('makes a task for its body outside of run, which a signal cancels', async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    const waiting = taskGroup(
      async (group) => {
        group.createTask(async () => {
          await sleep(60_000).catch((error: unknown) => {
            seen.push(error instanceof CancelledError);
            throw error;
          });
        });
        setImmediate(() => controller.abort(new Other('enough')));
        await sleep(60_000);
      },
      { signal: controller.signal },
    );
    expect(await errorOf(waiting)).toBeInstanceOf(Other);
    expect(seen).toEqual([true]);
  });
});

describe('TaskGroup with await using', () => {
  test(
    'waits for its tasks when the scope is left',
    program(async () => {
      {
        await using group = new TaskGroup();
        group.createTask(later(100, undefined));
      }
      expect(now()).toBe(100);
    }),
  );

  test(
    'interrupts the scope when a task fails, and throws the group',
    program(async () => {
      const failing = async () => {
        await using group = new TaskGroup();
        group.createTask(crashAfter(100));
        await sleep(10_000);
      };
      const error = await errorOf(failing());
      expect(classes(error as ExceptionGroup)).toEqual([Crash]);
      expect(isCancellation(error)).toBe(false);
      expect([now(), me().cancelling()]).toEqual([100, 0]);
    }),
  );

  test(
    'cancels its tasks when the task is cancelled inside the scope',
    program(async () => {
      const tasks: Task<unknown>[] = [];
      const task = createTask(async () => {
        await using group = new TaskGroup();
        tasks.push(group.createTask(later(5000, undefined)));
        await sleep(10_000);
      });
      await sleep(10);
      task.cancel();
      await turns(5);
      expect([tasks[0]?.cancelled(), task.done(), now()]).toEqual([true, true, 10]);
      await errorOf(task);
    }),
  );

  test(
    'tells the code inside as a cancellation, and adds what fails later to the error that leaves the scope',
    program(async () => {
      const seen: unknown[] = [];
      const failing = async () => {
        await using group = new TaskGroup();
        group.createTask(crashAfter(100));
        group.createTask(async () => {
          try {
            await sleep(10_000);
          } finally {
            await sleep(50);
            // biome-ignore lint/correctness/noUnsafeFinally: The cleanup fails too.
            throw new RangeError();
          }
        });
        try {
          await timeout(5_000, () => sleep(10_000));
        } catch (error) {
          seen.push(isCancellation(error), (error as Error).message, now());
          throw error;
        }
      };
      const error = (await errorOf(failing())) as ExceptionGroup;
      expect(seen).toEqual([true, 'tasks of a group failed (1 error)', 100]);
      expect(classes(error)).toEqual([Crash, RangeError]);
      expect([error.message, isCancellation(error)]).toEqual(['tasks of a group failed (2 errors)', false]);
      expect([now(), me().cancelling()]).toEqual([150, 0]);
      await sleep(1);
    }),
  );

  test(
    'throws the group when the failure met no wait',
    program(async () => {
      const failing = async () => {
        await using group = new TaskGroup();
        group.createTask(crashAfter(0));
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      };
      expect(classes(await groupOf(failing()))).toEqual([Crash]);
      await sleep(1);
    }),
  );

  test(
    'throws the group also when the task was cancelled at the same time, and delivers that again',
    program(async () => {
      let child: Task<unknown> | undefined;
      const outer = createTask(async () => {
        const error = await errorOf(
          (async () => {
            await using group = new TaskGroup();
            child = group.createTask(crashAfter(100));
            await sleep(10_000);
          })(),
        );
        await sleep(1);
        return error;
      });
      await turns(2);
      child?.whenDone(() => outer.cancel('from outside'));
      await expectCancelled(outer);
      expect(now()).toBe(100);
    }),
  );

  test(
    'keeps an error of the code inside beside the failures, as JavaScript does',
    program(async () => {
      const failing = async () => {
        await using group = new TaskGroup();
        group.createTask(crashAfter(100));
        throw new RangeError();
      };
      const { error, suppressed } = (await errorOf(failing())) as SuppressedError;
      expect([suppressed.constructor, classes(error)]).toEqual([RangeError, [Crash]]);
    }),
  );

  test(
    'starts nothing before it was entered [test_taskgroup_not_entered]',
    program(async () => {
      const group = new TaskGroup();
      expect(thrownBy(() => group.createTask(crashAfter(0)))).toMatchObject({
        code: 'InvalidState',
        message: 'the task group was not entered: use taskGroup(), or `await using group = …`',
      });
      await using entered = group;
      entered.createTask(later(1, undefined));
    }),
  );

  test(
    'is entered once [test_taskgroup_already_entered, test_taskgroup_double_enter]',
    program(async () => {
      const failing = async () => {
        await using group = new TaskGroup();
        await using _again = group;
      };
      expect(await errorOf(failing())).toMatchObject({ message: 'the task group has already been entered' });
      await taskGroup(async (group) => {
        expect(thrownBy(() => group[Symbol.asyncDispose])).toBeInstanceOf(InvalidStateError);
      });
    }),
  );

  test('needs a task around it [test_taskgroup_without_parent_task]', () => {
    expect(thrownBy(() => new TaskGroup())).toBeInstanceOf(InvalidStateError);
  });
});
