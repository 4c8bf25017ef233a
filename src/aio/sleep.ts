import { currentLoop } from './loop/current-loop.ts';
import { currentTask } from './loop/current-task.ts';
import { Future } from './loop/future.ts';
import { expectMs } from './loop/numbers.ts';
import { park, type WaitOptions } from './loop/park.ts';
import { watched } from './loop/watched.ts';

/**
 * Waits for `delayMs` milliseconds; zero or less gives every other ready task one turn.
 *
 * Outside of `run` it waits on the system clock. Differences to Python: milliseconds, not seconds; no `result` argument.
 *
 * @throws TypeError or RangeError when `delayMs` is no number of milliseconds.
 */
export function sleep(delayMs: number, options: WaitOptions = {}): Promise<void> {
  return watched(slept(delayMs, options));
}

async function slept(delayMs: number, { signal }: WaitOptions): Promise<void> {
  expectMs(delayMs, 'the delay');
  const loop = currentLoop();
  if (delayMs <= 0) {
    await (currentTask()?.parkOnce() ?? new Promise<void>((resolve) => loop.soon(resolve)));
    return signal?.throwIfAborted();
  }
  const woken = new Future<void>(loop);
  const timer = loop.at(loop.time() + delayMs, () => {
    if (!woken.done()) woken.setResult();
  });
  try {
    await park(woken, { signal });
  } finally {
    timer.cancel();
  }
}
