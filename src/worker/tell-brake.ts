import { brakeFormat } from '../format/brake.ts';
import { brakeKey } from '../format/paths.ts';
import type { WorkerDeps } from './deps.ts';
import type { RunningJob } from './running-job.ts';

/** When it was last told that a job is slowed down here, in milliseconds since the epoch. */
const toldAt = new WeakMap<RunningJob, number>();

/** Says to what pace refusals have brought a job without limits here, as often as rows are stored, and once that nothing slows it down. */
export async function tellBrake({ store, clock, checkpointMs, writer }: WorkerDeps, job: RunningJob): Promise<void> {
  const { gate, needsSeats } = job.pace;
  const now = clock.now();
  const last = toldAt.get(job);
  const perSecond = gate.adaptive && !needsSeats ? gate.bindsAt(now) : undefined;
  if (perSecond === undefined ? last === undefined : last !== undefined && now - last < checkpointMs) return;
  if (perSecond === undefined) toldAt.delete(job);
  else toldAt.set(job, now);
  const note = { v: 1 as const, ...(perSecond === undefined ? {} : { perSecond }), forMs: 2 * checkpointMs };
  await store.put(brakeKey(job.folder, writer), brakeFormat.encode(note));
}
