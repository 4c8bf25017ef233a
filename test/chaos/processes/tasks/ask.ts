import { defineTask, TaskError } from 'fanloop';
import { request } from 'undici';
import { z } from 'zod';

/** Asks the campaign's server, which writes each call down, and answers or fails as the server says. */
export const task = defineTask({
  description: 'Asks a server that writes each call down',
  input: z.object({ n: z.int(), url: z.url() }),
  example: { n: 1, url: 'http://localhost' },
  run: async ({ n, url }, { signal, attempt, idempotencyKey }) => {
    const [, , pass = 0] = idempotencyKey.split('/');
    const { body, statusCode } = await request(`${url}/${n}/${attempt}/${Date.now()}/${process.pid}/${pass}`, {
      signal,
    });
    await body.text();
    if (statusCode === 503) throw new TaskError('busy', { code: 'Busy', retryable: true });
    if (statusCode === 422) throw new TaskError('no', { code: 'Refused', retryable: false });
    return { n };
  },
});
