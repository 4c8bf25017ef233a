// A coroutine that awaits another one stands still until that one has ended: 1 s and then 2 s are 3 s.
import { run, sleep } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();

async function sayAfter(delayMs: number, message: string): Promise<void> {
  await sleep(delayMs);
  print(message);
}

await run(async () => {
  print('started');
  await sayAfter(1_000, 'Hello');
  await sayAfter(2_000, 'World');
  print('finished');
});
