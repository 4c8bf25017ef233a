import { controlOf } from '../folder/control.ts';
import { newestFolder, readJobSummary } from '../folder/passes.ts';
import { lastTick, readControl, readManifest } from '../folder/read.ts';
import { readSeats, type StoredSeat } from '../folder/seats.ts';
import { SettledChunks } from '../folder/settled-chunks.ts';
import type { ControlReason } from '../format/control.ts';
import { leastAge } from '../format/seat.ts';
import type { JobEnd, Summary } from '../format/summary.ts';
import { sendDueTick } from '../job/due-tick.ts';
import { type JobLimits, needsSeats } from '../task/job-limits.ts';
import { brakeOf, readBrake } from './brake.ts';
import { isOverdue, progressOf, requireManifest } from './follow.ts';
import type { Progress } from './progress.ts';
import type { Stack } from './stack.ts';

/** How a limited job uses what it may. */
export interface LimitsUsed {
  /** Workers that hold a part of the limits now, and those that could. */
  readonly held: number;
  readonly seats: number;
  /** Calls under way; up to 15 s old. */
  readonly running: number;
  /** What workers said last that cannot be there any more: the cloud in which they ran has ended. */
  readonly before?: { readonly running: number; readonly ageMs: number };
}

/** How a job stands at one moment. */
export interface JobStatus {
  readonly state: 'running' | 'paused' | 'cancelling' | JobEnd;
  /** Limits that hold now. */
  readonly limits: JobLimits;
  /** Calls that one worker awaits at once, where no limit says less. */
  readonly concurrency: number;
  /** What of its limits is used, as the holders of its seats last said; absent where it has no limits that workers share. */
  readonly used?: LimitsUsed;
  /** Why it pauses. */
  readonly reason?: ControlReason;
  readonly progress: Progress;
  /** There once the job has ended. */
  readonly summary?: Summary;
}

/** How the job stands now. Sends the turn that is overdue where somebody can take it. @throws UsageError `JobNotFound` */
export async function jobStatus(stack: Stack, id: string): Promise<JobStatus> {
  const { store, clock } = stack;
  const own = await requireManifest(store, id);
  const folder = await newestFolder(store, id);
  const [manifest = own, summary, control, tick, count] = await Promise.all([
    folder.pass === 0 ? own : readManifest(store, folder),
    readJobSummary(store, id),
    readControl(store, folder),
    lastTick(store, folder),
    new SettledChunks(store, folder).count(),
  ]);
  const now = clock.now();
  const { state, table, reason } = control ?? controlOf(manifest);
  const { limits } = table;
  const seats = needsSeats(limits) && summary === undefined ? await readSeats(store, folder) : undefined;
  const refusals = summary === undefined ? (tick?.totals.refusals ?? 0) : 0;
  const brakedTo = seats === undefined ? await readBrake(store, folder, { table, refusals }) : brakeOf(seats);
  const progress = progressOf(manifest, { now, count, tick, control, brakedTo });
  const { concurrency } = manifest.options;
  const of = { limits, concurrency, progress };
  if (summary !== undefined) return { state: summary.end, ...of, summary };
  // In a cloud that ends with this process a turn would only be cut off.
  if (stack.outlivesProcess() && isOverdue(tick, manifest, now)) await sendDueTick(stack, folder);
  // What was written before a cloud of this process's own ran is of one that has ended.
  const runsMs = stack.outlivesProcess() ? Number.POSITIVE_INFINITY : now - (stack.runsSince ?? now);
  const used = seats === undefined ? {} : { used: usedOf(seats, { of: table.seats, runsMs, now }) };
  if (state === 'paused') return { state, reason, ...of, ...used };
  return { state: state === 'cancelled' ? 'cancelling' : 'running', ...of, ...used };
}

/** @param seats.runsMs for how long the cloud runs whose workers hold seats */
function usedOf(
  stored: readonly StoredSeat[],
  seats: { readonly of: number; readonly runsMs: number; readonly now: number },
): LimitsUsed {
  const noted = stored
    .filter(({ note, freeInMs }) => note.phase === 'held' && freeInMs > 0)
    .map(({ note, ageMs }) => ({ note, ageMs: leastAge(note.debt, { ageMs, now: seats.now }) }));
  const held = noted.filter(({ ageMs }) => ageMs < seats.runsMs);
  const gone = noted.filter(({ ageMs }) => ageMs >= seats.runsMs);
  const runningIn = (some: typeof noted): number =>
    Math.round(some.reduce((sum, { note }) => sum + note.status.running, 0));
  const used = { held: held.length, seats: seats.of, running: runningIn(held) };
  if (gone.length === 0 || held.length > 0) return used;
  return { ...used, before: { running: runningIn(gone), ageMs: Math.min(...gone.map(({ ageMs }) => ageMs)) } };
}
