import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { RunOnThread, ThreadAnswer, ThreadRequest } from '../worker/isolate/thread-task.ts';
import type { Threads } from './thread-pool.ts';

/** Runs tasks on threads of the bundle `thread.mjs` beside the given module; the first such task loads and makes the pool. */
export function threadsBeside(moduleUrl: string): RunOnThread {
  let threads: Promise<Threads<ThreadRequest, ThreadAnswer>> | undefined;
  const open = async (): Promise<Threads<ThreadRequest, ThreadAnswer>> => {
    const pool = await import('./thread-pool.ts');
    return new pool.Threads({ file: new URL('./thread.mjs', moduleUrl).href, exportName: 'runOnThread' });
  };
  return async (request, signal, begun) => {
    threads ??= open();
    const pool = await threads;
    if (begun === undefined) return pool.run(request, { signal });
    const { port1, port2 } = new MessageChannel();
    port1.once('message', begun);
    try {
      return await pool.run({ ...request, begun: port2 }, { signal, transferList: [port2] });
    } finally {
      // An answer may come before the note that was sent first: each has a port of its own.
      if (receiveMessageOnPort(port1) !== undefined) begun();
      port1.close();
    }
  };
}
