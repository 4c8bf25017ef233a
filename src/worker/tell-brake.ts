import type { BrakeNote } from '../format/brake.ts';
import { brakeKey, brakeSlots } from '../format/paths.ts';
import type { WorkerDeps } from './deps.ts';
import type { RunningJob } from './running-job.ts';

type BrakeDeps = Pick<WorkerDeps, 'store' | 'clock' | 'checkpointMs' | 'writer' | 'log'>;

/** When it was last told that a job is slowed down here, in milliseconds since the epoch. */
const toldAt = new WeakMap<RunningJob, number>();

/** Says to what pace refusals have brought a job without limits here, as often as rows are stored, and once that nothing slows it down. */
export async function tellBrake(deps: BrakeDeps, job: RunningJob): Promise<void> {
  const { clock, checkpointMs } = deps;
  const { gate, needsSeats } = job.pace;
  const now = clock.now();
  const last = toldAt.get(job);
  const perSecond = gate.adaptive && !needsSeats ? gate.bindsAt(now) : undefined;
  if (perSecond === undefined) return endBrake(deps, job);
  if (last !== undefined && now - last < checkpointMs) return;
  toldAt.set(job, now);
  await write(deps, job, perSecond);
}

/** Takes back what was said: nothing slows the job down here any more. */
export async function endBrake(deps: BrakeDeps, job: RunningJob): Promise<void> {
  if (toldAt.delete(job)) await write(deps, job, undefined);
}

async function write(
  { store, checkpointMs, writer, log }: BrakeDeps,
  { folder }: RunningJob,
  perSecond: number | undefined,
): Promise<void> {
  // As its format encodes it, whose code to read it no worker loads.
  const note: BrakeNote = { v: 1, ...(perSecond === undefined ? {} : { perSecond }), forMs: 2 * checkpointMs };
  await store
    .put(brakeKey(folder, slotOf(writer)), JSON.stringify(note))
    .catch((error: unknown) => log('warn', 'a brake was not told', { jobId: folder.id, error: String(error) }));
}

/** Workers come and go: they share a few places, by the end of their random names, so that a long job leaves no more than these. */
const slotOf = (writer: string): number => (writer.codePointAt(writer.length - 1) ?? 0) % brakeSlots;
