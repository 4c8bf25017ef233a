import type { RunOnThread, ThreadAnswer, ThreadRequest } from '../worker/isolate/thread-task.ts';
import { Threads } from './thread-pool.ts';

/** Runs tasks on threads of the bundle `thread.mjs` beside the given module; the first such task makes the pool. */
export function threadsBeside(moduleUrl: string): RunOnThread {
  let threads: Threads<ThreadRequest, ThreadAnswer> | undefined;
  return (request, signal) => {
    threads ??= new Threads({ file: new URL('./thread.mjs', moduleUrl).href, exportName: 'runOnThread' });
    return threads.run(request, { signal });
  };
}
