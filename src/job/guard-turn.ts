import { readControl, readManifest, readSummary, readTick } from '../folder/read.ts';
import { encodeMessage, folderOf, type TickMessage } from '../format/message.ts';
import { limits } from '../limits.ts';
import type { Clock, Log, ObjectStore, Queue } from '../ports.ts';

/**
 * Sees to one turn of a job that nobody may follow: where it was not taken, its message was lost, or is hidden for 15 minutes since the
 * process that had it died at once, and is sent again, some times and ever later. Of many guards of a turn none outlives it.
 */
export async function guardTurn(
  deps: { readonly store: ObjectStore; readonly tickQueue: Queue; readonly clock: Clock; readonly log: Log },
  message: TickMessage,
): Promise<void> {
  const { store, tickQueue, clock, log } = deps;
  const folder = folderOf(message);
  const [record, next] = await Promise.all([0, 1].map((step) => readTick(store, folder, message.n + step)));
  // Nearly always the turn was taken, and the next one as well, or it is not due for long.
  const isNextLate = record !== undefined && clock.now() - record.nextAt > nextIsLateMs;
  if (next !== undefined || (record !== undefined && !isNextLate)) return;
  const [manifest, summary, control] = await Promise.all([
    readManifest(store, folder),
    readSummary(store, folder),
    readControl(store, folder),
  ]);
  // Whoever resumes a job that pauses has a turn taken, and guarded.
  if (manifest === undefined || summary !== undefined || control?.state === 'paused') return;
  const { guard: _guard, looks = 0, deaths: _deaths, after, ...turn } = message;
  // What a recorded turn sends may be lost with its process: that is not known to be done.
  const tick =
    record === undefined ? { ...turn, ...(after === undefined ? {} : { after }) } : { ...turn, n: turn.n + 1 };
  log('warn', 'a turn was late, and is sent again', { jobId: tick.job, n: tick.n, looks });
  await tickQueue.send([encodeMessage(tick)], { group: folder.id });
  if (looks + 1 === limits.lateTurnLooks) return;
  const delaySeconds = limits.lateTurnSeconds * 2 ** (looks + 1);
  await tickQueue.send([encodeMessage({ ...tick, guard: true, looks: looks + 1 })], { group: folder.id, delaySeconds });
}

/** Turns follow each other sooner than this while nobody knows how long a job takes; a process may die between its record and the next one. */
const nextIsLateMs = 500 * limits.lateTurnSeconds;
