import { Fanloop } from '../../client/fanloop.ts';
import type { Stack } from '../../client/stack.ts';
import { connectTarget } from '../../targets/connect.ts';
import type { OpenOptions } from '../../targets/target.ts';
import type { TargetOptions } from '../../targets/target-options.ts';

/** A stack that is open, and the client on it. */
export interface OpenJobs extends AsyncDisposable {
  readonly stack: Stack;
  readonly fanloop: Fanloop;
}

/** Opens the stack that a command's options name. @throws UsageError as `connect` */
export async function openJobs(options: TargetOptions, open: OpenOptions): Promise<OpenJobs> {
  const stack = await connectTarget(options, open);
  return { stack, fanloop: new Fanloop(stack), [Symbol.asyncDispose]: () => stack.close() };
}
