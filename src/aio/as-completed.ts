import { endTasks } from './end-tasks.ts';
import { type Awaitable, ensureFuture, type ResultOf } from './ensure-future.ts';
import { limited } from './limited.ts';
import { currentLoop, inProgram } from './loop/current-loop.ts';
import { InvalidStateError, TimeoutError } from './loop/errors.ts';
import type { Future } from './loop/future.ts';
import { expectMsOrNone } from './loop/numbers.ts';
import { Queue } from './queue.ts';

export interface AsCompletedOptions {
  /** How many of the async functions run at a time. @default all of them */
  readonly concurrency?: number | undefined;
  /** How long the whole iteration may take. @default no limit */
  readonly timeoutMs?: number | undefined;
}

/** One that has ended: where it stood in the input, and its future, whose `result()` gives the value or throws. */
export interface Completed<T> {
  readonly index: number;
  readonly task: Future<T>;
}

/**
 * Runs async functions together and yields each as it ends.
 *
 * They start with the call, not with the first iteration; a function is called each time it is given, a task or promise
 * given twice is one. Leaving the loop early cancels and awaits those that were started
 * here; tasks that were given go on. Differences to Python: the index is yielded too; `concurrency`; nothing started
 * here outlives the loop.
 *
 * @throws TimeoutError from the iteration when `timeoutMs` is over, InvalidStateError outside of `run`, TypeError or
 *   RangeError when `timeoutMs` is no number of milliseconds.
 */
export function asCompleted<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  { concurrency, timeoutMs }: AsCompletedOptions = {},
): AsyncGenerator<Completed<ResultOf<A[number]>>, void, void> {
  if (!Array.isArray(awaitables)) throw new TypeError('asCompleted takes an array: asCompleted([a, b])');
  expectMsOrNone(timeoutMs, 'the timeout');
  if (!inProgram()) throw new InvalidStateError('asCompleted works inside run() only: start the program with run()');
  const completed = new Queue<{ readonly entry?: Completed<ResultOf<A[number]>> }>();
  const wrapped = limited(awaitables, concurrency);
  const left = new Map<Future<unknown>, number>();
  const started: Future<unknown>[] = [];
  const known = new Set<unknown>();
  for (const [index, each] of wrapped.entries()) {
    const original = awaitables[index];
    if (known.has(original)) continue;
    const task = ensureFuture(each);
    left.set(task, index);
    if (typeof each === 'function') started.push(task);
    else known.add(original);
  }
  const count = left.size;
  const onDone = (task: Future<unknown>) => {
    const index = left.get(task);
    if (index === undefined) return;
    left.delete(task);
    // The future was made of the input at this index, so it has its result's type.
    completed.putNowait({ entry: { index, task: task as Future<ResultOf<A[number]>> } });
    if (left.size === 0) timer?.cancel();
  };
  const loop = currentLoop();
  const timer =
    timeoutMs === undefined
      ? undefined
      : loop.at(loop.time() + timeoutMs, () => {
          for (const task of left.keys()) {
            task.removeDoneCallback(onDone);
            completed.putNowait({});
          }
          left.clear();
        });
  for (const task of left.keys()) task.whenDone(onDone);
  return yieldAll(count, completed, async () => {
    timer?.cancel();
    await endTasks(started);
  });
}

async function* yieldAll<T>(
  count: number,
  completed: Queue<{ readonly entry?: Completed<T> }>,
  end: () => Promise<void>,
): AsyncGenerator<Completed<T>, void, void> {
  try {
    for (let yielded = 0; yielded < count; yielded += 1) {
      const { entry } = await completed.get();
      if (entry === undefined) throw new TimeoutError('not everything was completed in time');
      yield entry;
    }
  } finally {
    await end();
  }
}
