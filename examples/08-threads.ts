// A loop that computes cannot do anything else; on a worker thread the computation leaves the loop free.

import { createTask, run, sleep, toThread } from '../src/aio/index.ts';
import { Threads } from '../src/runtime/thread-pool.ts';
import { countPrimes } from './primes.ts';

const limit = 2_000_000;
let ticks = 0;

async function tick(): Promise<never> {
  while (true) {
    await sleep(10);
    ticks++;
  }
}

/** Says whether the ticker went on while something was computed. */
async function report(where: string, compute: () => number | Promise<number>): Promise<void> {
  const before = ticks;
  const primes = await compute();
  console.log(`${where}: ${primes} primes, and the ticker ${ticks > before ? 'went on' : 'stood still'}`);
}

await using threads = new Threads<number, number>({
  file: new URL('./primes.ts', import.meta.url).href,
  exportName: 'countPrimes',
});
await run(async () => {
  createTask(tick);
  await sleep(50);
  await report('on the loop', () => countPrimes(limit));
  await report('on a thread', () => toThread(threads, limit));
});
