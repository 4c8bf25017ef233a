import { changeControl, controlOf } from '../folder/control.ts';
import { limits } from '../limits.ts';
import type { WorkerDeps } from './deps.ts';
import type { RunningJob } from './running-job.ts';

/** The downstream asked for a rest: the job's other workers are to know of it. */
export async function tellHold(
  { store, clock, writer }: WorkerDeps,
  { manifest, folder, pace }: RunningJob,
): Promise<void> {
  const ms = pace.gate.untoldHoldMs(clock.now());
  const isAlone = pace.needsSeats && pace.control.table.seats === 1;
  if (ms < limits.controlMs || isAlone) return;
  const beganAt = clock.now();
  const control = await changeControl(
    { store, now: () => clock.now() },
    { job: folder, first: controlOf(manifest), by: `worker:${writer}` },
    ({ state, revision }) => (state === 'running' ? { hold: { ms, revision: revision + 1 } } : undefined),
  );
  pace.gate.toldHold();
  pace.saw({ control, ageMs: 0 }, beganAt, clock.now());
}
