import * as z from 'zod';
import { sleep } from '../../src/aio/index.ts';
import { limits } from '../../src/limits.ts';
import { defineTask } from '../../src/task/task.ts';

/** Limit of one attempt in milliseconds, unless the job asks for another. */
const timeoutMs = 15_000;

/** The first coroutine of every asyncio tutorial: waits, then says its message. */
export const task = defineTask({
  description: 'Waits, then returns the message',
  input: z.strictObject({
    delayMs: z
      .int('expected whole milliseconds')
      .min(0, 'expected milliseconds from 0')
      .max(limits.maxTimeoutMs, `expected at most ${limits.maxTimeoutMs} ms, the longest timeout of a job`),
    message: z.string('expected a text'),
  }),
  example: { delayMs: 1_000, message: 'Hello' },
  timeoutMs,
  run: async ({ delayMs, message }, { signal }) => {
    await sleep(delayMs, { signal });
    return message;
  },
});
