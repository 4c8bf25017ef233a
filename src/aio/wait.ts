import { currentLoop } from './loop/current-loop.ts';
import { Future } from './loop/future.ts';
import { expectMsOrNone } from './loop/numbers.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { watched } from './loop/watched.ts';

export interface WaitForOptions extends WaitOptions {
  /** When to return although not enough have ended; nothing is thrown. @default never */
  readonly timeoutMs?: number | undefined;
  /** @default 'allCompleted' */
  readonly returnWhen?: 'firstCompleted' | 'firstException' | 'allCompleted';
}

/** Those that have ended and those that run on, each in the order they were given. */
export interface Waited<F> {
  readonly done: Set<F>;
  readonly running: Set<F>;
}

/**
 * Waits for tasks and says which have ended; it cancels none of them, whatever happens to itself.
 *
 * Differences to Python: the second set is called `running`, not pending; the sets keep the order given.
 *
 * @throws RangeError when no task is given, TypeError or RangeError when the timeout is no number of milliseconds.
 */
export function wait<F extends Future<unknown>>(tasks: Iterable<F>, options: WaitForOptions = {}): Promise<Waited<F>> {
  return watched(waited(tasks, options));
}

async function waited<F extends Future<unknown>>(tasks: Iterable<F>, options: WaitForOptions): Promise<Waited<F>> {
  const { timeoutMs, returnWhen = 'allCompleted', signal } = options;
  expectMsOrNone(timeoutMs, 'the timeout');
  const all = new Set(tasks);
  if (all.size === 0) throw new RangeError('wait needs at least one task, got none');
  for (const task of all)
    if (!(task instanceof Future)) throw new TypeError('wait takes tasks: make them with createTask');
  const enough = new Future<void>(currentLoop());
  const finish = () => {
    timer?.cancel();
    if (!enough.done()) enough.setResult();
  };
  const timer = timeoutMs === undefined ? undefined : enough.loop.at(enough.loop.time() + timeoutMs, finish);
  let left = all.size;
  const onDone = (task: Future<unknown>) => {
    left -= 1;
    const failed = returnWhen === 'firstException' && task.failed();
    if (left <= 0 || returnWhen === 'firstCompleted' || failed) finish();
  };
  for (const task of all) task.whenDone(onDone);
  try {
    await park(enough, { signal });
  } finally {
    timer?.cancel();
    for (const task of all) task.removeDoneCallback(onDone);
  }
  const sets = { done: new Set<F>(), running: new Set<F>() };
  for (const task of all) (task.done() ? sets.done : sets.running).add(task);
  return sets;
}
