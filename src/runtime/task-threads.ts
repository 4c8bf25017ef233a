import type { RunOnThread, ThreadAnswer, ThreadRequest } from '../worker/isolate/thread-task.ts';
import type { Threads } from './thread-pool.ts';

/** Runs tasks on threads of the bundle `thread.mjs` beside the given module; the first such task loads and makes the pool. */
export function threadsBeside(moduleUrl: string): RunOnThread {
  let threads: Promise<Threads<ThreadRequest, ThreadAnswer>> | undefined;
  const open = async (): Promise<Threads<ThreadRequest, ThreadAnswer>> => {
    const pool = await import('./thread-pool.ts');
    return new pool.Threads({ file: new URL('./thread.mjs', moduleUrl).href, exportName: 'runOnThread' });
  };
  return async (request, signal) => {
    threads ??= open();
    return (await threads).run(request, { signal });
  };
}
