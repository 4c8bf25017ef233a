import { lastTurn, readTick } from '../folder/read.ts';
import { encodeMessage, jobFields, messageVersion } from '../format/message.ts';
import { type JobRef, jobFolder } from '../format/paths.ts';
import { limits } from '../limits.ts';
import type { ObjectStore, Queue } from '../ports.ts';

/** Where the job's records stand, and where its ticks go. */
export interface DueTickDeps {
  readonly store: ObjectStore;
  readonly tickQueue: Queue;
}

/**
 * Sends the tick that is due next; harmless at any time, since a twin of a tick does nothing.
 * `guard` has it sent again where it is not taken; `effectsDone` says that what the last record sends is known to be on its way: else the turn waits for who took the last one.
 */
export async function sendDueTick(
  deps: DueTickDeps,
  job: JobRef,
  options: { readonly resend?: boolean; readonly effectsDone?: boolean; readonly guard?: boolean } = {},
): Promise<void> {
  const last = await lastTurn(deps.store, job);
  const n = last === undefined ? 0 : last + 1;
  const done = options.effectsDone === true && last !== undefined ? await readTick(deps.store, job, last) : undefined;
  const tick = {
    v: messageVersion,
    kind: 'tick',
    ...jobFields(jobFolder(job)),
    n,
    ...(done === undefined ? {} : { after: done.writer }),
    resend: options.resend,
  } as const;
  const group = jobFolder(job).id;
  await deps.tickQueue.send([encodeMessage(tick)], { group });
  if (options.guard)
    await deps.tickQueue.send([encodeMessage({ ...tick, guard: true })], {
      group,
      delaySeconds: limits.lateTurnSeconds,
    });
}
