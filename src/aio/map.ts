import { createTask } from './create-task.ts';
import { endTasks } from './end-tasks.ts';
import { Event } from './event.ts';
import { inProgram } from './loop/current-loop.ts';
import { InvalidStateError } from './loop/errors.ts';
import { expectCount } from './loop/numbers.ts';
import type { Task } from './loop/task.ts';
import { Semaphore } from './semaphore.ts';
import { until } from './until.ts';

export interface MapOptions {
  /** How many items are in work, or finished and not yet taken, at a time. */
  readonly concurrency: number;
}

/**
 * Calls an async function for each item of a source and yields the results in the source's order.
 *
 * It reads the source only as far ahead as `concurrency` allows, so a slow consumer slows the source down. The first failure,
 * and leaving the loop early, cancel and await what runs, and close the source. Difference to Python: asyncio has no such verb.
 *
 * @throws what the function or the source throws, InvalidStateError outside of `run`.
 */
export async function* map<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  body: (item: T, index: number) => PromiseLike<R> | R,
  { concurrency }: MapOptions,
): AsyncGenerator<Awaited<R>, void, void> {
  expectCount(concurrency, 'the concurrency', 1);
  if (!inProgram()) throw new InvalidStateError('map works inside run() only: start the program with run()');
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const places = new Semaphore(concurrency);
  const window: Task<R>[] = [];
  const changed = new Event();
  let failure: { readonly error: unknown } | undefined;
  let reading = true;
  const reads = { pending: false, exhausted: false };
  const note = (task: Task<unknown>) => {
    if (task.failed()) failure ??= { error: task.exception() };
    changed.set();
  };
  const reader = createTask(async () => {
    for (let index = 0; ; index += 1) {
      await places.acquire();
      const next = await until(read(iterator, reads));
      if (next.done) return;
      const task = createTask(() => body(next.value, index));
      window.push(task);
      task.whenDone(note);
      changed.set();
    }
  });
  reader.whenDone((task) => {
    reading = false;
    note(task);
  });
  try {
    while (reading || window.length > 0 || failure !== undefined) {
      if (failure !== undefined) throw failure.error;
      const [head] = window;
      if (head?.done()) {
        window.shift();
        yield head.result();
        places.release();
      } else {
        changed.clear();
        await changed.wait();
      }
    }
  } finally {
    await endTasks([reader, ...window]);
    if (!reads.exhausted) {
      const closed = Promise.resolve(iterator.return?.());
      // A source that is stuck in a foreign read closes when that ends; nobody can wait for it.
      if (reads.pending) closed.catch(() => {});
      else await closed;
    }
  }
}

/** Reads the next item, and notes whether a read is going on and whether the source has ended. */
async function read<T>(
  iterator: Iterator<T> | AsyncIterator<T>,
  reads: { pending: boolean; exhausted: boolean },
): Promise<IteratorResult<T>> {
  reads.pending = true;
  try {
    const next = await iterator.next();
    if (next.done) reads.exhausted = true;
    return next;
  } catch (error) {
    reads.exhausted = true;
    throw error;
  } finally {
    reads.pending = false;
  }
}
