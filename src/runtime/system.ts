import type { Clock, Log, Random } from '../ports.ts';

/** The process's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Milliseconds of processor time that this thread has used. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The runtime's random numbers: enough for jitter and ids, which are no secrets. */
export const systemRandom: Random = () => Math.random();

/** Writes each line as one JSON object to stdout, where Lambda takes it to the function's log; `console` would put a prefix before it. */
export const jsonLog: Log = (level, message, fields) => {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), message, ...fields })}\n`);
};
