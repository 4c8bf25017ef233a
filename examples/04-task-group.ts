// In a task group the first failure cancels the others, all are awaited, and one error carries every failure.
import { CancelledError, ExceptionGroup, run, sleep, taskGroup } from '../src/aio/index.ts';
import { timeline } from './timeline.ts';

const print = timeline();

async function download(name: string, delayMs: number): Promise<void> {
  try {
    await sleep(delayMs);
    print(`${name}: done`);
  } catch (error) {
    if (error instanceof CancelledError) print(`${name}: cancelled, tidying up`);
    throw error;
  }
}

await run(async () => {
  try {
    await taskGroup(async (group) => {
      group.createTask(() => download('small', 1_000));
      group.createTask(() => download('large', 60_000));
      group.createTask(async () => {
        await sleep(2_000);
        throw new RangeError('the disk is full');
      });
    });
  } catch (error) {
    if (!(error instanceof ExceptionGroup)) throw error;
    print(error.errors.map(String).join(', '));
  }
});
