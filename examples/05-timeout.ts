// A timeout cancels the wait in progress inside it; scopes nest, and the outermost deadline that has passed is reported.
import { TimeoutError } from '../src/aio/errors.ts';
import { moveOnAfter } from '../src/aio/move-on-after.ts';
import { run } from '../src/aio/run.ts';
import { sleep } from '../src/aio/sleep.ts';
import { timeout } from '../src/aio/timeout.ts';
import { timeline } from './timeline.ts';

const print = timeline();

await run(async () => {
  try {
    await timeout(1_000, () => sleep(60_000));
  } catch (error) {
    if (error instanceof TimeoutError) print('timed out after 1 s');
  }

  await moveOnAfter(1_000, () => sleep(60_000));
  print('moved on after 1 s more, without an error');

  await timeout(10_000, async (scope) => {
    scope.reschedule(undefined);
    await sleep(1_000);
  });
  print('a scope can be given another deadline, or none');
});
