import type { WorkerDeps } from './deps.ts';
import type { HeldBell, HeldMessage } from './held-message.ts';
import { persist } from './persist.ts';

/** A read of what a held message stands for. */
interface HeldRead<Value> {
  readonly held: HeldMessage | HeldBell;
  readonly act: () => Promise<Value>;
  /** Milliseconds since the epoch after which a refusal is thrown. */
  readonly until: () => number;
}

/** Reads from S3 for as long as there is time: the message is held meanwhile, so its delivery is not lost. */
export function readHeld<Value>(
  deps: Pick<WorkerDeps, 'clock' | 'log' | 'leaving'>,
  { held, act, until }: HeldRead<Value>,
): Promise<Value> {
  return persist(deps, {
    what: 'a chunk was not read',
    fields: { jobId: held.message.job, messageId: held.messageId },
    act,
    until: () => (deps.leaving?.aborted === true ? 0 : until()),
  });
}
