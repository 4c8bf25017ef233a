import type { Clock } from '../../src/ports.ts';

/** A clock whose timers go off when the test says so. */
export interface ManualClock extends Clock {
  /** Calls back what waits for this delay; resolves when there is something to call back. */
  fire(delayMs: number): Promise<void>;
  /** Resolves when something waits for this delay. */
  waitFor(delayMs: number): Promise<void>;
}

/** Makes a clock that stands still but for {@link ManualClock.fire}, which moves it by the delay. */
export function manualClock(startAt = Date.now()): ManualClock {
  const timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  const watchers = new Set<() => void>();
  let now = startAt;
  const waitFor = async (delayMs: number): Promise<void> => {
    const due = (): boolean => [...timers].some((timer) => timer.delayMs === delayMs);
    if (due()) return;
    await new Promise<void>((resolve) => {
      const watch = (): void => {
        if (!due()) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
    });
  };
  return {
    now: () => now,
    after: (delayMs, callback) => {
      const timer = { delayMs, callback };
      timers.add(timer);
      for (const watch of watchers) watch();
      return () => timers.delete(timer);
    },
    waitFor,
    fire: async (delayMs) => {
      await waitFor(delayMs);
      now += delayMs;
      for (const timer of [...timers]) {
        if (timer.delayMs !== delayMs) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}
