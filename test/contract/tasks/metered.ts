import { defineTask, TaskError } from 'fanloop';
import { request } from 'undici';
import { z } from 'zod';

/** Calls the test's metered server, and tells it when and by which process. */
export const task = defineTask({
  description: 'Calls a server that counts',
  input: z.object({ url: z.url(), ms: z.int().min(0) }),
  example: { url: 'http://localhost/a', ms: 100 },
  run: async ({ url, ms }, { signal }) => {
    const { statusCode, headers, body } = await request(`${url}?at=${Date.now()}&pid=${process.pid}&ms=${ms}`, {
      signal,
    });
    await body.text();
    if (statusCode === 200) return statusCode;
    const seconds = Number(headers['retry-after']);
    throw new TaskError('refused', {
      code: `HTTP${statusCode}`,
      status: statusCode,
      retryable: true,
      ...(Number.isFinite(seconds) ? { retryAfterMs: 1_000 * seconds } : {}),
    });
  },
});
