/** A process in which two items run: one does harm to it, as the first argument says, and the other one answers after a while. */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { chargeFaults } from '../../src/runtime/item-faults.ts';
import { startLoopWatchdog } from '../../src/runtime/loop-watchdog.ts';
import { type ItemScope, itemScope } from '../../src/worker/item-scope.ts';

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
  interval: () => setInterval(throws, 5),
  rejection: () => void Promise.reject(new Error('a bomb')),
  loop: () => {
    for (;;);
  },
};

chargeFaults(() => undefined);
startLoopWatchdog({
  limitMs: 2_000,
  cpuMs: 600_000,
  endAfter: 1.5,
  rescue: { memoryMb: 100_000, store: (isEnd) => say('stored', isEnd) },
}).watch();
const [how = '', where] = process.argv.slice(2);
const item = async (): Promise<unknown> => harm[how]?.();
if (where === 'outside') await item();
else await itemScope.run(scopeOf('job/1'), item).catch(() => undefined);
await itemScope.run(scopeOf('job/2'), () => sleep(300));
say('answered job/2');
// An interval would keep it alive.
if (how !== 'interval') process.exit(0);
