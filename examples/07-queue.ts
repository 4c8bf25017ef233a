// Producers and consumers with a queue between them: a full queue holds the producer back.
import { Queue, run, sleep, taskGroup } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();
const queue = new Queue<number>(1);

async function produce(): Promise<void> {
  for (const n of [1, 2, 3, 4]) {
    await queue.put(n);
    print(`put ${n}`);
  }
  queue.shutdown();
}

async function consume(): Promise<void> {
  for await (const n of queue) {
    await sleep(1_000);
    print(`worked on ${n}`);
  }
}

await run(async () => {
  await taskGroup((group) => {
    group.createTask(produce);
    group.createTask(consume);
  });
  print('all done');
});
