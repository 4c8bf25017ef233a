import type { Clock } from '../ports.ts';

/** Runs `act` every `intervalMs`, never twice at once; the answer stops it and waits for what runs. `act` must not reject. */
export function periodically(clock: Clock, intervalMs: number, act: () => Promise<void>): () => Promise<void> {
  let running = Promise.resolve();
  let stopped = false;
  let cancel = (): void => undefined;
  const schedule = (): void => {
    cancel = clock.after(intervalMs, () => {
      running = act().then(() => {
        if (!stopped) schedule();
      });
    });
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
    return running;
  };
}
