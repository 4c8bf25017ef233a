// Compares the worker's own attempt (one timer, one AbortController) with core/aio's timeout scope around the same call.

import { z } from 'zod';
import { run } from '../src/aio/run.ts';
import { timeout } from '../src/aio/timeout.ts';
import { withSignal } from '../src/aio/with-signal.ts';
import { systemClock } from '../src/runtime/system.ts';
import { defineTask } from '../src/task/task.ts';
import { runAttempt } from '../src/worker/attempt.ts';

const rounds = 5;
const calls = 100_000;
const task = defineTask({ description: 'nothing', input: z.unknown(), example: null, run: async () => null });
const cancelled = new AbortController().signal;
const context = { attempt: 1, idempotencyKey: 'job/0', log: () => undefined, used: () => undefined };

async function own(): Promise<void> {
  await runAttempt({ task, item: null, context, timeoutMs: 10_000, cancelled, clock: systemClock });
}

async function scoped(): Promise<void> {
  await timeout(10_000, () => withSignal((signal) => task.run(null, { ...context, signal })));
}

/** Microseconds of one call. */
async function measure(call: () => Promise<void>): Promise<number> {
  const began = process.cpuUsage();
  for (let n = 0; n < calls; n++) await call();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / calls;
}

const results: Array<{ own: number; scoped: number; ratio: number }> = [];
await run(async () => {
  await measure(own);
  await measure(scoped);
  for (let round = 0; round < rounds; round++) {
    const [ownUs, scopedUs] = [await measure(own), await measure(scoped)];
    results.push({ own: ownUs, scoped: scopedUs, ratio: scopedUs / ownUs });
  }
});
console.log(JSON.stringify({ unit: 'µs of CPU a call', node: process.version, rounds: results }, null, 2));
