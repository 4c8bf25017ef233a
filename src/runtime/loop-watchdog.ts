import { Worker } from 'node:worker_threads';

/** How often the loop says that it turns, in milliseconds. */
const beatMs = 500;

/** Runs on a thread of its own: looks whether the beat goes on, and ends the process when it has not for too long. */
const watch = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { beats, beatMs, limitMs, cpuMs } = workerData;
const view = new Int32Array(beats);
const usedMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
let seen = Atomics.load(view, 0);
let silent = 0;
let usedBefore = usedMs();
setInterval(() => {
  const now = Atomics.load(view, 0);
  // A beat of 0 means that nobody asks to be watched. Looks are counted, not time: a process that was frozen has missed them too.
  silent = now === seen && now !== 0 ? silent + 1 : 0;
  seen = now;
  if (silent === 0) usedBefore = usedMs();
  if (silent * beatMs < limitMs && usedMs() - usedBefore < cpuMs) return;
  writeSync(1, JSON.stringify({ level: 'error', time: new Date().toISOString(),
    message: 'the event loop was blocked for ' + silent * beatMs / 1000 + ' s: the process ends, and its items run apart' }) + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, beatMs);
`;

/** Watches this process's event loop while work runs on it. */
export interface LoopWatchdog {
  /** Watches until the answer is called. */
  watch(): () => void;
}

/** Starts the thread that ends this process when its event loop is blocked for `limitMs`, or for `cpuMs` of the process's own time. */
export function startLoopWatchdog({
  limitMs,
  cpuMs,
}: {
  readonly limitMs: number;
  readonly cpuMs: number;
}): LoopWatchdog {
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const view = new Int32Array(beats);
  const thread = new Worker(watch, { eval: true, workerData: { beats, beatMs, limitMs, cpuMs } });
  thread.unref();
  let serial = 0;
  return {
    watch: () => {
      const beat = (): void => {
        serial = (serial % 1_000_000) + 1;
        Atomics.store(view, 0, serial);
      };
      beat();
      const timer = setInterval(beat, beatMs);
      timer.unref();
      return () => {
        clearInterval(timer);
        Atomics.store(view, 0, 0);
      };
    },
  };
}
