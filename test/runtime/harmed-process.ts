/**
 * A process in which two items run: one does harm to it, as the first argument says, and the other one answers after a while. What
 * nobody catches is sent off before the process ends, as Lambda's runtime does.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { chargeFaults } from '../../src/runtime/item-faults.ts';
import { startLoopWatchdog } from '../../src/runtime/loop-watchdog.ts';
import { systemClock } from '../../src/runtime/system.ts';
import { defineTask } from '../../src/task/task.ts';
import { runAttempt } from '../../src/worker/attempt.ts';
import type { ItemScope } from '../../src/worker/item-scope.ts';

const say = (...words: readonly unknown[]): void => void writeSync(1, `${words.join(' ')}\n`);
const scopeOf = (idempotencyKey: string): ItemScope => ({
  idempotencyKey,
  task: 'harm',
  unhandled: ({ code, message }) => say('charged', idempotencyKey, code, message.split('\n')[0]),
});

const throws = (): never => {
  throw new Error('a bomb');
};

const harm: Readonly<Record<string, () => unknown>> = {
  exit: () => process.exit(3),
  abort: () => process.abort(),
  signal: () => process.kill(process.pid, 'SIGKILL'),
  group: () => process.kill(0, 'SIGKILL'),
  timer: () => setTimeout(throws, 10),
  late: () => setTimeout(throws, 200),
  interval: () => setInterval(throws, 5),
  rejection: () => void Promise.reject(new Error('a bomb')),
  loop: () => {
    for (;;);
  },
};

process.on('uncaughtException', () => void setTimeout(() => process.exit(129), 20));
chargeFaults(() => undefined);
startLoopWatchdog({
  limitMs: 2_000,
  cpuMs: 600_000,
  endAfter: 1.5,
  rescue: { memoryMb: 100_000, store: (isEnd) => say('stored', isEnd) },
}).watch();
const [how = '', where] = process.argv.slice(2);
const attempt = (key: string, run: () => unknown) =>
  runAttempt({
    task: defineTask({ description: 'Does harm', input: z.unknown(), example: null, run: async () => run() }),
    item: null,
    context: { attempt: 1, idempotencyKey: key, log: () => undefined, used: () => undefined },
    timeoutMs: 60_000,
    cancelled: new AbortController().signal,
    clock: systemClock,
    scope: scopeOf(key),
  });
if (where === 'outside') await harm[how]?.();
else
  await attempt('job/1', async () => {
    await harm[how]?.();
    // What happens for ever happens while the item runs.
    await sleep(how === 'interval' ? 60_000 : 100);
  });
await attempt('job/2', () => sleep(500));
say('answered job/2');
// An interval would keep it alive.
if (how !== 'interval') process.exit(0);
