import { lastTick, readControl, readManifest, readSummary } from '../folder/read.ts';
import { encodeMessage, folderOf, type TickMessage } from '../format/message.ts';
import { limits } from '../limits.ts';
import type { Clock, ObjectStore, Queue } from '../ports.ts';
import { sendDueTick } from './due-tick.ts';

/**
 * Looks after a job that nobody may follow: sends the turn that is late, whose message was lost or is hidden for 15 minutes since the
 * process that had it died at once, and comes back until the job has ended.
 */
export async function guardJob(
  deps: { readonly store: ObjectStore; readonly tickQueue: Queue; readonly clock: Clock },
  guard: TickMessage,
): Promise<void> {
  const { store, tickQueue, clock } = deps;
  const folder = folderOf(guard);
  const [manifest, summary, control, last] = await Promise.all([
    readManifest(store, folder),
    readSummary(store, folder),
    readControl(store, folder),
    lastTick(store, folder),
  ]);
  // Whoever resumes a job that pauses has it looked after again.
  if (manifest === undefined || summary !== undefined || control?.state === 'paused') return;
  const now = clock.now();
  // A turn that cuts on may take all of its time.
  const mayTakeMs = last?.cut.done === false ? 1_000 * limits.tickTimeoutSeconds : limits.lateTurnMs;
  const leftMs = (last?.nextAt ?? Date.parse(manifest.createdAt)) + mayTakeMs - now;
  if (leftMs <= 0) await sendDueTick(deps, folder);
  const seconds = Math.ceil((leftMs > 0 ? leftMs : mayTakeMs) / 1_000);
  // A clock that was set makes no look later than the longest delay.
  const delaySeconds = Math.min(limits.maxDelaySeconds, seconds);
  await tickQueue.send([encodeMessage(guard)], { group: folder.id, delaySeconds });
}
