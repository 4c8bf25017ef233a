// A timeout cancels the wait in progress inside it; scopes nest, and the outermost deadline that has passed is reported.
import { moveOnAfter, run, sleep, TimeoutError, timeout } from '../src/aio/index.ts';
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
