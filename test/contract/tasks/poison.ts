import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'fanloop';
import { request } from 'undici';
import { z } from 'zod';

/** Waits, asks the test's server, and then ends its process, blocks it, or leaves an error behind, as its item says. */
export const task = defineTask({
  description: 'Does to its process what its item says',
  input: z.object({
    n: z.int(),
    waitMs: z.int(),
    ask: z.url(),
    how: z
      .enum(['exit', 'loop', 'rejection', 'late-rejection', 'timer', 'memory', 'abort', 'signal', 'kill', 'first'])
      .optional(),
    together: z.boolean().optional(),
  }),
  example: { n: 1, waitMs: 100, ask: 'http://localhost' },
  run: async ({ n, waitMs, ask, how, together }, { signal }) => {
    if (how === 'first') harm.loop();
    await (together === true ? allAtOnce : sleep(waitMs, undefined, { signal }));
    const { body } = await request(ask, { signal });
    await body.text();
    if (how !== undefined && how !== 'first') await harm[how]();
    return n;
  },
});

/** What all items of a process wait for, so that they go on one right after the other. */
const allAtOnce = sleep(1_000);

const stray = async (): Promise<never> => {
  throw new Error('stray');
};

const harm = {
  exit: () => process.exit(3),
  loop: () => {
    for (;;);
  },
  rejection: async () => {
    void stray();
    await sleep(50);
  },
  'late-rejection': async () => {
    void sleep(20).then(stray);
  },
  timer: async () => {
    setTimeout(() => {
      throw new Error('a bomb');
    }, 20);
    await sleep(200);
  },
  memory: () => {
    const held: unknown[] = [];
    for (;;) held.push(new Array(1_000_000).fill(Math.random()));
  },
  abort: () => process.abort(),
  kill: () => {
    spawnSync('kill', ['-SEGV', `${process.pid}`]);
  },
  signal: async () => {
    process.kill(process.pid, 'SIGSEGV');
    await sleep(1_000);
  },
} as const;
