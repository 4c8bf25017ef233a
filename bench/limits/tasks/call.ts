import { defineTask, TaskError } from 'fanloop';
import { request } from 'undici';
import { z } from 'zod';

/** Calls the bench's server, and tells it when it began. */
export const task = defineTask({
  description: 'Calls a server that counts',
  input: z.object({ url: z.url(), ms: z.int().min(0), units: z.int().optional(), used: z.int().optional() }),
  example: { url: 'http://localhost/a', ms: 100 },
  units: ({ units }) => units ?? 0,
  run: async ({ url, ms, units, used }, { signal, used: tell }) => {
    const { statusCode, headers, body } = await request(`${url}?ms=${ms}&at=${Date.now()}&units=${used ?? 0}`, {
      signal,
    });
    await body.text();
    if (units !== undefined && used !== undefined) tell({ units: used });
    if (statusCode === 200) return 1;
    const seconds = Number(headers['retry-after'] ?? Number.NaN);
    throw new TaskError('refused', {
      code: `HTTP${statusCode}`,
      status: statusCode,
      retryable: true,
      ...(Number.isFinite(seconds) ? { retryAfterMs: 1_000 * seconds } : {}),
    });
  },
});
