import { currentLoop, currentTask } from './loop/current.ts';
import { Future } from './loop/future.ts';
import { park, type WaitOptions } from './loop/park.ts';

/**
 * Waits for `delayMs` milliseconds; zero or less gives every other ready task one turn.
 *
 * Outside of `run` it waits on the system clock. Differences to Python: milliseconds, not seconds; no `result` argument.
 *
 * @throws RangeError when `delayMs` is NaN.
 */
export async function sleep(delayMs: number, { signal }: WaitOptions = {}): Promise<void> {
  if (Number.isNaN(delayMs)) throw new RangeError('expected a delay in milliseconds, got NaN');
  const loop = currentLoop();
  if (delayMs <= 0) {
    await (currentTask()?.parkOnce() ?? new Promise<void>((resolve) => loop.callSoon(resolve)));
    return signal?.throwIfAborted();
  }
  const woken = new Future<void>(loop);
  const timer = loop.callLater(delayMs, () => {
    if (!woken.done()) woken.setResult();
  });
  try {
    await park(woken, { signal });
  } finally {
    timer.cancel();
  }
}
