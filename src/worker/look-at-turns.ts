import { lastTick, readTick } from '../folder/read.ts';
import type { WorkerDeps } from './deps.ts';
import type { RunningJob } from './running-job.ts';
import { StopShare } from './stop-share.ts';

/**
 * Looks how a job stands that stops at some count. What cannot be read is looked for again at the next look: a worker goes on slowly
 * without it. Loaded for such a job alone, by `import()`.
 */
export async function lookAtTurns(
  { store, log }: Pick<WorkerDeps, 'store' | 'log'>,
  { folder, pace }: RunningJob,
): Promise<void> {
  pace.stops ??= new StopShare();
  const { stops } = pace;
  if (stops.isLooking) return;
  stops.isLooking = true;
  try {
    const last = stops.turn === undefined ? await lastTick(store, folder) : undefined;
    if (last !== undefined) stops.saw(last);
    while (stops.turn !== undefined) {
      const next = await readTick(store, folder, stops.turn + 1);
      if (next === undefined) return;
      stops.saw(next);
    }
  } catch (error) {
    log('warn', "a job's turns were not read", { jobId: folder.id, error: String(error) });
  } finally {
    stops.isLooking = false;
  }
}
