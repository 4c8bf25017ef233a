import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, TaskError } from 'fanloop';
import { request } from 'undici';
import { z } from 'zod';

/** The contract suite's task: does to an item what the item says. */
export const task = defineTask({
  description: 'Does what its item says: waits, fails, refuses for a time, or asks a server what to do',
  input: z.object({
    /** Milliseconds of waiting before anything else. */
    waitMs: z.int().min(0).optional(),
    /** Milliseconds of computing on the event loop. */
    computeMs: z.int().min(0).optional(),
    /** Attempts that fail with a retryable error before one succeeds. */
    failTimes: z.int().optional(),
    retryAfterMs: z.int().optional(),
    /** Fails for good with this code. */
    code: z.string().optional(),
    /** A server of the test's that counts this call and answers "crash" or anything else. */
    ask: z.url().optional(),
    echo: z.unknown().optional(),
  }),
  example: { waitMs: 10, echo: 'hello' },
  run: async (item, { signal, attempt, idempotencyKey }) => {
    if (item.waitMs !== undefined) await sleep(item.waitMs, undefined, { signal });
    if (item.computeMs !== undefined) compute(item.computeMs);
    if (item.ask !== undefined && (await answerOf(item.ask, signal)) === 'crash') crash();
    if (item.code !== undefined) throw new TaskError('failed as asked', { code: item.code });
    if (attempt <= (item.failTimes ?? 0)) {
      const retryAfter = item.retryAfterMs === undefined ? {} : { retryAfterMs: item.retryAfterMs };
      throw new TaskError('refused for now', { code: 'Refused', retryable: true, ...retryAfter });
    }
    return { echo: item.echo ?? null, attempt, idempotencyKey };
  },
});

/** As a fault of native code does: nothing of this process has a say in it. */
function crash(): void {
  execFileSync('kill', ['-9', String(process.pid)]);
}

/** Uses the processor for so long, however many others want it. */
function compute(ms: number): void {
  const began = process.threadCpuUsage().user;
  while (process.threadCpuUsage().user - began < ms * 1_000);
}

async function answerOf(url: string, signal: AbortSignal): Promise<string> {
  const { body } = await request(url, { signal });
  return body.text();
}
