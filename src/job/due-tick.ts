import { lastTick } from '../folder/read.ts';
import { encodeMessage, messageVersion } from '../format/message.ts';
import type { ObjectStore, Queue } from '../ports.ts';

/** Where the job's records stand, and where its ticks go. */
export interface DueTickDeps {
  readonly store: ObjectStore;
  readonly tickQueue: Queue;
}

/** Sends the tick that is due next; harmless at any time, since a twin of a tick does nothing. */
export async function sendDueTick(
  deps: DueTickDeps,
  jobId: string,
  options: { readonly resend?: boolean } = {},
): Promise<void> {
  const last = await lastTick(deps.store, jobId);
  const n = last === undefined ? 0 : last.n + 1;
  const tick = {
    v: messageVersion,
    kind: 'tick',
    job: jobId,
    n,
    ...(options.resend === true ? { resend: true } : {}),
  } as const;
  await deps.tickQueue.send([encodeMessage(tick)], { group: jobId });
}
