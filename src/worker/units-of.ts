import type { ItemRun } from './item-run.ts';
import type { RunningJob } from './running-job.ts';

/** What an item costs of the job's units, as its task says; 1 where it says nothing that can be counted. */
export function unitsOf({ task, pace }: RunningJob, run: ItemRun): number {
  if (pace.limits.units === undefined) return 0;
  try {
    const units = task?.units?.(run.item) ?? 1;
    return Number.isFinite(units) && units >= 0 ? units : 1;
  } catch {
    // A task's own function that throws must not end the worker's loop.
    return 1;
  }
}
