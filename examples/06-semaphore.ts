// A semaphore lets a few in at a time, first come, first served: six calls of 1 s, two at once, are 3 s.
import { gather, run, Semaphore, sleep } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();
const places = new Semaphore(2);

async function call(n: number): Promise<void> {
  using _place = await places.hold();
  await sleep(1_000);
  print(`call ${n}`);
}

await run(async () => {
  await gather([1, 2, 3, 4, 5, 6].map((n) => () => call(n)));
});
