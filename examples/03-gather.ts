// gather runs async functions together and gives their results in the order of the call, however they end.
import { gather, run, sleep } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();

async function sayAfter(delayMs: number, message: string): Promise<string> {
  await sleep(delayMs);
  print(message);
  return message.toUpperCase();
}

await run(async () => {
  const results = await gather([() => sayAfter(2_000, 'World'), () => sayAfter(1_000, 'Hello')]);
  print(results.join(', '));

  const calls = [3, 2, 1].map((n) => () => sayAfter(1_000, `call ${n}`));
  await gather(calls, { concurrency: 1 });
  print('one at a time: 3 s more');
});
