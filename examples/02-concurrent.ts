// Tasks run beside each other on one event loop: 1 s beside 2 s are 2 s.
import { createTask, run, sleep } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();

async function sayAfter(delayMs: number, message: string): Promise<void> {
  await sleep(delayMs);
  print(message);
}

await run(async () => {
  const hello = createTask(() => sayAfter(1_000, 'Hello'));
  const world = createTask(() => sayAfter(2_000, 'World'));
  print('started');
  await hello;
  await world;
  print('finished');
});
