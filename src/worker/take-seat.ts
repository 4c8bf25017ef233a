import { readSummary } from '../folder/read.ts';
import { encodeMessage, folderOf } from '../format/message.ts';
import { folderName } from '../format/paths.ts';
import { shareIn } from '../format/share.ts';
import type { Closer } from './closer.ts';
import type { WorkerDeps } from './deps.ts';
import type { Duties } from './duties.ts';
import type { HeldBell } from './held-message.ts';
import { HeldSeat } from './held-seat.ts';
import type { Holds } from './holds.ts';
import type { JobFinder } from './job-finder.ts';
import type { RunningJob } from './running-job.ts';
import { SeatLease } from './seat-lease.ts';
import type { WorkerState } from './worker-state.ts';

/** A bell that found its seat held this often was a further one of a seat whose holder lives. */
const uselessBell = 3;
/** A second seat of a job is for another worker first. */
const othersFirstSeconds = 3;

/** Where a seat is taken. */
interface TakeParts {
  readonly state: WorkerState;
  readonly closer: Closer;
  readonly holds: Holds;
  readonly jobs: JobFinder;
  readonly duties: Duties;
}

/** Takes the seat that a bell rings for, or lets the bell go. */
export async function takeSeat(deps: WorkerDeps, bell: HeldBell, at: TakeParts): Promise<void> {
  const { closer, duties } = at;
  const folder = folderOf(bell.message);
  const job = await at.jobs.ofBell(bell);
  const isNeedless =
    job === undefined || isUnwanted(bell, job, duties) || (await readSummary(deps.store, folder)) !== undefined;
  if (isNeedless) return closer.acknowledge(bell);
  if (!job.fits(deps.clock.now(), deps.deadline) || deps.leaving?.aborted === true) return putBack(deps, bell, at);
  // A worker that cannot carry what it has leaves the next seat to the others for longer.
  const forOthers = job.pace.meter.isSaturated ? 2 : 1;
  if (duties.seatsOf(job).length > 0 && bell.receiveCount <= forOthers)
    return hide(deps, bell, { ...at, seconds: othersFirstSeconds });
  const { seat: number } = bell.message;
  const name = `${folderName(folder)} ${number}`;
  if (duties.claiming.has(name)) return closer.acknowledge(bell);
  duties.claiming.add(name);
  const { perSecond } = shareIn(job.pace.control.table, number);
  const wanted = { seat: number, intervalMs: perSecond > 0 ? 1_000 / perSecond : 0 };
  const claim = await SeatLease.take(deps, folder, wanted).finally(() => duties.claiming.delete(name));
  if (claim.kind === 'live') {
    // It may be the bell of the holder itself, which has died: then the seat is free when it comes again.
    // A bell that was hidden for others has not tried yet.
    if (bell.receiveCount >= uselessBell + forOthers - 1) return closer.acknowledge(bell);
    return hide(deps, bell, { ...at, seconds: Math.max(1, Math.ceil(claim.freeInMs / 1_000)) });
  }
  const { jobId } = job.manifest;
  deps.log('info', 'a seat was taken', { jobId, seat: number });
  const seat = new HeldSeat(deps, job, claim.lease);
  job.gate.owe(deps.clock.now(), claim.debt);
  job.pace.seats.add(seat);
  job.pace.update(deps.clock.now());
  job.draining = false;
  duties.add({ seat, bell, course: { kind: 'serves' }, isActing: false });
}

/** Whether nobody has to take the seat: its job does not go on, or not under it, or this worker holds it. */
function isUnwanted({ message }: HeldBell, job: RunningJob, duties: Duties): boolean {
  const { pace, cancelled } = job;
  return (
    cancelled.aborted ||
    pace.isPaused ||
    !pace.needsSeats ||
    message.seat >= pace.control.table.seats ||
    duties.seatsOf(job).some(({ seat }) => seat === message.seat)
  );
}

/** Leaves the bell to another worker at once. */
async function putBack(
  { queue }: WorkerDeps,
  bell: HeldBell,
  { state, closer }: Pick<TakeParts, 'state' | 'closer'>,
): Promise<void> {
  state.mayPull = false;
  await queue.send([encodeMessage(bell.message)], { group: bell.message.job });
  await closer.acknowledge(bell);
}

/** Lets the bell come back after a time. */
async function hide(
  { queue }: WorkerDeps,
  bell: HeldBell,
  { holds, seconds }: Pick<TakeParts, 'holds'> & { readonly seconds: number },
): Promise<void> {
  await holds.release(bell);
  if (bell.receiptHandle !== undefined) await queue.changeVisibility(bell.receiptHandle, seconds);
}
