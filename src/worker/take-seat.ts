import { readSummary } from '../folder/read.ts';
import { readSeat, type StoredSeat } from '../folder/seats.ts';
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
/** Where nobody has heard the bells of a job's other seats for so long, nobody else may be there. */
const othersMs = 1_000;

/** Where a seat is taken. */
interface TakeParts {
  readonly state: WorkerState;
  readonly closer: Closer;
  readonly holds: Holds;
  readonly jobs: JobFinder;
  readonly duties: Duties;
}

/**
 * Takes the seat that a bell rings for, or lets the bell go.
 *
 * @returns milliseconds after which a bell may be there for this worker, since all others had their time; undefined where none is expected.
 */
export async function takeSeat(deps: WorkerDeps, bell: HeldBell, at: TakeParts): Promise<number | undefined> {
  const { closer, duties } = at;
  const folder = folderOf(bell.message);
  const { seat: number } = bell.message;
  // What stands of the seat may be old by the time that it is taken: then the write tells.
  const [job, summary, stored] = await Promise.all([
    at.jobs.ofBell(bell),
    readSummary(deps.store, folder),
    readSeat(deps.store, folder, number),
  ]);
  // Whoever rang may know of a change that was not seen here yet.
  if (job !== undefined && summary === undefined && isUnwanted(bell, job, duties)) await at.jobs.lookAgain(bell, job);
  const name = `${folderName(folder)} ${number}`;
  if (job === undefined || isUnwanted(bell, job, duties) || summary !== undefined || duties.claiming.has(name)) {
    await closer.acknowledge(bell);
    return undefined;
  }
  if (!job.fits(deps.clock.now(), deps.deadline) || deps.leaving?.aborted === true) {
    await putBack(deps, bell, at);
    return undefined;
  }
  // A worker that cannot carry what it has leaves the next seat to the others for longer.
  const forOthers = job.pace.meter.isSaturated ? 2 : 1;
  if (duties.seatsOf(job).length > 0 && bell.receiveCount <= forOthers) {
    await hide(deps, bell, { ...at, seconds: othersFirstSeconds });
    return 1_000 * othersFirstSeconds;
  }
  duties.claiming.add(name);
  try {
    const isTaken = await claimSeat(deps, bell, { ...at, job, stored, forOthers });
    return isTaken && job.pace.control.table.seats > duties.seatsOf(job).length ? othersMs : undefined;
  } finally {
    duties.claiming.delete(name);
  }
}

/** Takes the seat unless somebody has it; resolves to whether it did. */
async function claimSeat(
  deps: WorkerDeps,
  bell: HeldBell,
  at: TakeParts & {
    readonly job: RunningJob;
    readonly stored: StoredSeat | undefined;
    /** How often the bell was hidden for other workers. */
    readonly forOthers: number;
  },
): Promise<boolean> {
  const { job, stored, forOthers, closer, duties } = at;
  const { seat: number } = bell.message;
  const { perSecond } = shareIn(job.pace.control.table, number);
  const wanted = { seat: number, stored, intervalMs: perSecond > 0 ? 1_000 / perSecond : 0 };
  const claim = await SeatLease.take(deps, job.folder, wanted);
  if (claim.kind === 'live') {
    // It may be the bell of the holder itself, which has died: then the seat is free when it comes again.
    // A bell that was hidden for others has not tried yet.
    if (bell.receiveCount >= uselessBell + forOthers - 1) await closer.acknowledge(bell);
    else await hide(deps, bell, { ...at, seconds: Math.max(1, Math.ceil(claim.freeInMs / 1_000)) });
    return false;
  }
  const { jobId } = job.manifest;
  deps.log('info', 'a seat was taken', { jobId, seat: number });
  const seat = new HeldSeat(deps, job, claim.lease);
  job.gate.owe(deps.clock.now(), claim.debt);
  job.pace.takes(seat, deps.clock.now(), claim.brakedTo);
  job.draining = false;
  duties.add({ seat, bell, course: { kind: 'serves' }, isActing: false });
  return true;
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
