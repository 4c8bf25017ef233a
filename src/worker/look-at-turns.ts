import { lastTick, readTick } from '../folder/read.ts';
import type { ObjectStore } from '../ports.ts';
import type { RunningJob } from './running-job.ts';
import { StopShare } from './stop-share.ts';

/** Looks how a job stands that stops at some count. Loaded for such a job alone, by `import()`. */
export async function lookAtTurns(store: ObjectStore, { folder, pace }: RunningJob): Promise<void> {
  pace.stops ??= new StopShare();
  const { stops } = pace;
  const last = stops.turn === undefined ? await lastTick(store, folder) : undefined;
  if (last !== undefined) stops.saw(last);
  while (stops.turn !== undefined) {
    const next = await readTick(store, folder, stops.turn + 1);
    if (next === undefined) return;
    stops.saw(next);
  }
}
