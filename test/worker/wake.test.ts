import { expect, it } from 'vitest';
import { Wake } from '../../src/worker/wake.ts';

it('wakes once for all that was set in one turn of the event loop', async () => {
  const wake = new Wake();
  let woken = 0;
  const loop = (async () => {
    while (woken < 2) {
      await wake.wait();
      wake.clear();
      woken++;
    }
  })();
  for (let n = 0; n < 100; n++) await Promise.resolve().then(() => wake.set());
  await new Promise(setImmediate);
  expect(woken).toBe(1);
  wake.set();
  await loop;
});

it('does not wait where it was set since it was cleared', async () => {
  const wake = new Wake();
  wake.set();
  await wake.wait();
  wake.clear();
  let isAwake = false;
  const waiting = wake.wait().then(() => {
    isAwake = true;
  });
  await new Promise(setImmediate);
  expect(isAwake).toBe(false);
  wake.set();
  await waiting;
});
