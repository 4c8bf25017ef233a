import { Fanloop } from '../../client/fanloop.ts';
import type { Stack } from '../../client/stack.ts';
import { connectTarget } from '../../targets/connect.ts';
import type { OpenOptions } from '../../targets/target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';
import { orAborted } from '../../waiting.ts';

/** A stack that is open, and the client on it. */
export interface OpenJobs extends AsyncDisposable {
  readonly stack: Stack;
  readonly fanloop: Fanloop;
}

/**
 * Opens the stack that a command's options name. Who is interrupted meanwhile leaves it half open: the process ends, and the next
 * one finds it as after a kill.
 *
 * @throws UsageError as `connect`; the signal's reason when it is aborted
 */
export async function openJobs(
  options: TargetOptions,
  { signal, ...open }: OpenOptions & { readonly signal: AbortSignal },
): Promise<OpenJobs> {
  const stack = await orAborted(connectTarget(options, open), signal);
  const fanloop = new Fanloop(stack);
  return { stack, fanloop, [Symbol.asyncDispose]: () => fanloop.close() };
}
